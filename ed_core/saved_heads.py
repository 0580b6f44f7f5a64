"""Heads in the files that Keras saves: a loss or a metric is named there, never held as code."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from types import FunctionType
from typing import Any

import keras

from ed_core import losses, metrics
from ed_core.errors import EdkitError
from ed_core.plugins import MODELS
from ed_core.spec import Head

Function = Callable[..., Any]

_PLUGIN = "edkit_plugin_"
_NO_LOSSES = ("get", "serialize", "deserialize")  # functions that Keras keeps beside its losses


def heads_config(heads: tuple[Head, ...]) -> list[dict[str, Any]]:
    """Return what a saved model says of its heads, ready for JSON."""
    return [
        {
            **{field.name: getattr(head, field.name) for field in fields(head)},
            "loss": _named(head.loss),
            "metrics": [_named(metric) for metric in head.metrics],
        }
        for head in heads
    ]


def heads_from(
    config: list[Mapping[str, Any]], given: Mapping[str, Any] | None = None
) -> tuple[Head, ...]:
    """Return the heads of a saved model.

    Args:
        config: what `heads_config` returned.
        given: name to function, the `custom_objects` of Keras.

    Raises:
        EdkitError: a loss or a metric is of a plugin that is not imported here.
    """
    return tuple(
        Head(
            **{
                **head,
                "loss": _function(head["loss"], given, f"the loss of head {head['name']!r}"),
                "metrics": tuple(
                    _function(metric, given, f"a metric of head {head['name']!r}")
                    for metric in head["metrics"]
                ),
            }
        )
        for head in config
    )


def _named(function: Function) -> dict[str, str]:
    """Return by what a function is found again, and the file that it is written in."""
    home = str(getattr(function, "__module__", ""))
    known = keras.saving.get_registered_name(function)
    return {
        "name": str(getattr(function, "__qualname__", type(function).__name__)),
        "module": home,
        "file": str(getattr(sys.modules.get(home), "__file__", None) or ""),
        "registered": known if isinstance(known, str) else "",
    }


def _function(config: Mapping[str, str], given: Mapping[str, Any] | None, what: str) -> Function:
    """Return a function that a file names: nothing is imported for it, and nothing else is given.

    It is one of ours, of Keras' losses and metrics, one that the user registered with Keras, or one
    of a head of a registered model. Any other name, such as `os.system`, is refused.
    """
    name, module = config["name"], config["module"]
    for key in (config.get("registered"), name):
        if key and callable(found := keras.saving.get_registered_object(key, given)):
            return found
    for ours in (losses, metrics):
        found = vars(ours).get(name)
        if module == ours.__name__ == getattr(found, "__module__", None) and callable(found):
            return found
    for theirs in (keras.losses, keras.metrics):
        found = None if name in _NO_LOSSES else getattr(theirs, name, None)
        if module == getattr(found, "__module__", None) and isinstance(found, FunctionType):
            return found
    matching = [function for function in _of_models() if _is(function, config)]
    if len({id(function) for function in matching}) == 1:
        return matching[0]
    raise EdkitError(_missing(config, what))


def _of_models() -> Iterator[Function]:
    """Yield the losses and metrics of all registered models."""
    for spec in MODELS.values():
        for head in spec.heads:
            yield from (head.loss, *head.metrics)


def _is(function: Function, config: Mapping[str, str]) -> bool:
    here = _named(function)
    same = here["module"] == config["module"] or here["file"] == config["file"] != ""
    return same and here["name"] == config["name"]


def _missing(config: Mapping[str, str], what: str) -> str:
    """Return what to do about a function that is not here."""
    name, module, file = config["name"], config["module"], config["file"]
    if module.startswith(_PLUGIN):
        way = f"load that first: ed_core.load_plugin_file({file!r})"
    elif name.isidentifier() and module != "__main__":
        way = f"import {module} first, and decorate it there with "
        way += "keras.saving.register_keras_serializable() unless a registered model has it"
    else:
        way = "give it as custom_objects={" + repr(name) + ": ...}"
    return f"{what} is {name!r} of {file or module or 'nowhere'}, which is not known here: {way}."
