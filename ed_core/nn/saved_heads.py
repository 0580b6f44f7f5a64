"""Heads in Keras' files: losses and metrics are stored by name, never as code."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from types import FunctionType
from typing import Any

import keras

from ed_core.errors import EdkitError
from ed_core.nn import losses, metrics
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.spec import Head

Function = Callable[..., Any]

_PLUGIN = "edkit_plugin_"
_NO_LOSSES = ("get", "serialize", "deserialize")  # functions that Keras keeps beside its losses


def heads_config(heads: tuple[Head, ...]) -> list[dict[str, Any]]:
    """Return what a saved model says of its heads, ready for JSON.

    Raises:
        EdkitError: a loss has no name by which it could be found again.
    """
    for head in heads:
        if not hasattr(head.loss, "__name__"):
            raise EdkitError(nameless(head.loss, f"the loss of head {head.name!r}"))
    return [
        {
            **{field.name: getattr(head, field.name) for field in fields(head)},
            "loss": _named(head.loss),
            "metrics": [_named(metric) for metric in head.metrics],
        }
        for head in heads
    ]


def heads_from(
    config: list[Mapping[str, Any]], custom_objects: Mapping[str, Any] | None = None
) -> tuple[Head, ...]:
    """Return the heads of a saved model.

    Args:
        config: what `heads_config` returned.
        custom_objects: name to function, the `custom_objects` of Keras.

    Raises:
        EdkitError: a loss or a metric is of a plugin that is not imported here.
    """
    return tuple(
        Head(
            **{
                **head,
                "loss": _function(
                    head["loss"], custom_objects, f"the loss of head {head['name']!r}"
                ),
                "metrics": tuple(
                    _function(metric, custom_objects, f"a metric of head {head['name']!r}")
                    for metric in head["metrics"]
                ),
            }
        )
        for head in config
    )


def nameless(function: Any, what: str) -> str:
    """Return what to do about what is called like a function, and has no name."""
    kind = type(function).__name__
    return f"{what} is a {kind}, which has no name: give a function, with def, that calls it."


def _named(function: Function) -> dict[str, str]:
    """Return by what a function is found again, and the file that it is written in."""
    home = str(getattr(function, "__module__", ""))
    registered = keras.saving.get_registered_name(function)
    return {
        "name": str(getattr(function, "__qualname__", type(function).__name__)),
        "module": home,
        "file": str(getattr(sys.modules.get(home), "__file__", None) or ""),
        "registered": registered if isinstance(registered, str) else "",
    }


def _function(
    config: Mapping[str, str], custom_objects: Mapping[str, Any] | None, what: str
) -> Function:
    """Return a function that a file names: nothing is imported for it, and nothing else is given.

    It is what the user hands over for it, else one of ours, of Keras' losses and metrics or of a
    head of a registered model, else one that the user registered with Keras. Any other name, such
    as `os.system`, is refused.
    """
    keys = [key for key in (config.get("registered"), config["name"]) if key]
    registered = keras.saving.get_custom_objects()
    handed = [_handed(key, custom_objects) for key in keys]
    for candidate in (*handed, _at_home(config), *map(registered.get, keys)):
        if callable(candidate):
            return candidate
    raise EdkitError(_missing(config, what))


def _handed(key: str, custom_objects: Mapping[str, Any] | None) -> Any:
    """Return what the user gives for a name, as an argument or by a scope of Keras, or None."""
    if key in (custom_objects or {}):
        return custom_objects[key]  # type: ignore[index]
    registered = keras.saving.get_registered_object(key)  # scopes, then what is registered
    return None if registered is keras.saving.get_custom_objects().get(key) else registered


# The module that a file names for ours: today's, and that of files from before it moved.
_HOMES = {home: (home, home.replace(".nn.", ".")) for home in (losses.__name__, metrics.__name__)}


def _at_home(config: Mapping[str, str]) -> Function | None:
    """Return the function that is written where the file says, or None."""
    name, module = config["name"], config["module"]
    for ours in (losses, metrics):
        candidate = vars(ours).get(name)
        if module in _HOMES[ours.__name__] and ours.__name__ == getattr(
            candidate, "__module__", None
        ):
            return candidate
    for theirs in (keras.losses, keras.metrics):
        candidate = None if name in _NO_LOSSES else getattr(theirs, name, None)
        if module == getattr(candidate, "__module__", None) and isinstance(candidate, FunctionType):
            return candidate
    matching = [function for function in _of_models() if _is(function, config)]
    return matching[0] if len({id(function) for function in matching}) == 1 else None


def _of_models() -> Iterator[Function]:
    """Yield the losses and metrics of all registered models."""
    for spec in MODELS.values():
        for head in spec.heads:
            yield from (head.loss, *head.metrics)


def _is(function: Function, config: Mapping[str, str]) -> bool:
    if not hasattr(function, "__name__"):
        return False
    here = _named(function)
    same_file = here["file"] == config["file"]
    if here["module"] == config["module"]:
        same = same_file or here["module"] != "__main__"  # which is another in every program
    else:
        same = same_file and here["file"] != ""
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
