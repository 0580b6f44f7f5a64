"""Models of runs, built from plugin name, checked options and weights; never code or pickle."""

import contextlib
import threading
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import keras

from ed_core.engine import precision, randomness
from ed_core.errors import EdkitError, one_line
from ed_core.nn.objective import Objective
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.options import check_counts
from ed_core.plugins.registry import PLUGIN_FILES
from ed_core.plugins.spec import PRESENT, Field, Fields, Head, ModelSpec
from ed_core.runs.earlier import faults, is_earlier
from ed_core.runs.weights_file import check_fit, read_arrays, read_shapes, write_arrays

_SPARE = 8  # times what is stored: of a run that is a part of this one, parts may be left out
_FREE = 4 * 10**6, 256  # numbers and arrays that any model may have beside
_UNKNOWN = 50 * 10**6, 10**4  # numbers and arrays of a model of which nothing is stored yet
_BOUNDED = threading.RLock()
_ADD_WEIGHT = keras.layers.Layer.add_weight

Shapes = Sequence[tuple[int, ...]]


def warn_of_faults(info: Mapping[str, Any], model: Any, where: str) -> None:
    """Warn in one line of the faults of a run of an earlier version."""
    if is_earlier(info) and (sentences := faults(info, model)):
        warnings.warn(
            f"{where!r} is a run of an earlier version: {'; '.join(sentences)}. Train it anew "
            "before its numbers are relied on.",
            stacklevel=3,
        )


def check_info(info: Mapping[str, Any], where: str) -> None:
    """Raise EdkitError unless `run.json` has all entries needed to rebuild the model."""
    if "fields" not in info and info.get("data") == "":  # as `Recorder` writes it
        raise EdkitError(
            f"{where!r} holds what was recorded of a model of your own, and not the model: look at "
            "it with edkit view; to be measured, drawn or resumed, a model is registered."
        )
    for key in ("model", "data", "params", "fields"):
        if key not in info:
            raise EdkitError(f"{where!r} cannot be opened: its run.json lacks {key!r}.")


def spec_of(info: Mapping[str, Any]) -> ModelSpec:
    """Return the registered model of a run; a file only names a plugin, it never imports one."""
    _check_plugins(info, "model", info["model"], MODELS)
    return MODELS[info["model"]]


def check_data_plugin(info: Mapping[str, Any]) -> None:
    """Raise EdkitError if the data set of a run is in a plugin file that is not loaded."""
    _check_plugins(info, "data set", str(info["data"]).partition(":")[0], DATASETS)


def _check_plugins(
    info: Mapping[str, Any], what: str, name: str, registered: Container[str]
) -> None:
    missing = [path for path in info.get("plugins", ()) if path not in PLUGIN_FILES]
    if missing and name not in registered:
        raise EdkitError(
            f"{what} {name!r} came from a plugin file: pass --plugin {missing[0]}, "
            "or import it first."
        )


def build(
    spec: ModelSpec,
    fields: Fields,
    params: Mapping[str, Any],
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Objective:
    """Build a registered model for the given fields, its initial weights drawn from `seed`.

    Raises:
        EdkitError: the builder refuses an option, heads and outputs do not fit, or a weight is
            that of a head which the model lacks.
    """
    checked = spec.check(params)
    if keras.config.image_data_format() != "channels_last":
        raise EdkitError(
            "edkit's models and data have the channels last, and Keras is set to channels_first: "
            "set image_data_format in keras.json to channels_last."
        )
    try:
        with randomness.initial_weights_from(seed):
            net = spec.builder(fields, **checked)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign plugin may fail in any way
        check_counts(spec.options, checked)
        raise EdkitError(
            f"model {spec.name!r} cannot be built with {checked}: {one_line(error)}"
        ) from error
    objective = Objective(net, with_masks(spec.heads, fields), spec.weights(checked, weights))
    for name in weights or {}:
        if name not in objective.head_weights:
            there = ", ".join(objective.head_weights)
            raise EdkitError(
                f"model {spec.name!r} has no head {name!r} with these options, only: {there}."
            )
    return objective


def with_masks(heads: Iterable[Head], fields: Fields) -> tuple[Head, ...]:
    """Return the heads, each with the mask of its target where the data have one, NAME_present."""
    return tuple(
        replace(head, mask=head.target + PRESENT)
        if head.needs_target and not head.mask and head.target + PRESENT in fields
        else head
        for head in heads
    )


def save_weights(objective: Objective, path: Path) -> None:
    """Write the weights of the model, those of its layers in their order."""
    variables = objective.layer_weights
    facts = {"names": [v.path for v in variables]}
    write_arrays(path, [to_numpy(v) for v in variables], facts)


def load_weights(objective: Objective, path: Path) -> None:
    """Read what `save_weights` wrote, on any backend; raises EdkitError if it does not fit."""
    arrays, _ = read_arrays(path)
    variables = objective.layer_weights
    check_fit(arrays, variables, path)
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


@contextlib.contextmanager
def bounded(stored: Shapes) -> Iterator[None]:
    """Refuse, in this block, to build a model far larger than its stored weights.

    A `run.json` of a few bytes may describe a model that fills the memory.

    Args:
        stored: the shapes of the arrays in its file; none where nothing is stored yet.

    Raises:
        EdkitError: the weights are more, before the memory for them is taken.
    """
    most = _UNKNOWN
    if stored:
        size = sum(map(prod, stored)), len(stored)
        most = _SPARE * size[0] + _FREE[0], _SPARE * size[1] + _FREE[1]
    numbers = arrays = 0
    thread = threading.get_ident()

    def counted(layer: Any, *args: Any, **options: Any) -> Any:
        nonlocal numbers, arrays
        if threading.get_ident() == thread:
            shape = options.get("shape", next(iter(args), None))
            numbers += prod(map(int, shape)) if isinstance(shape, tuple | list) else 1
            arrays += 1
            if numbers > most[0] or arrays > most[1]:
                raise EdkitError("too large")
        return _ADD_WEIGHT(layer, *args, **options)

    with _BOUNDED:  # within a block of its own, a run that is a part of another counts alone
        before = keras.layers.Layer.add_weight
        keras.layers.Layer.add_weight = counted
        try:
            yield
        except Exception as error:
            if numbers > most[0] or arrays > most[1]:
                raise EdkitError(
                    f"run.json describes a model of {numbers} weights or more in {arrays} arrays, "
                    "far more than is stored of it: it was written by another model or with other "
                    "options."
                ) from error
            raise
        finally:
            keras.layers.Layer.add_weight = before


def stored_shapes(paths: Iterable[Path]) -> Shapes:
    """Return the shapes in the first of some files that can be read; none where none can."""
    for path in paths:
        with contextlib.suppress(EdkitError):
            return read_shapes(path)
    return ()


def rebuild(info: Mapping[str, Any], stored: Shapes = ()) -> Objective:
    """Build the model that `run.json` describes, with its initial weights.

    Args:
        info: what it says.
        stored: the shapes of the arrays that are stored of it; see `bounded`.
    """
    fields = fields_of(info)
    with precision.as_trained(info), bounded(stored):
        return build(
            spec_of(info), fields, info["params"], info.get("weights"), info.get("seed", 0)
        )


def fields_of(info: Mapping[str, Any]) -> Fields:
    """Return the fields that `run.json` describes."""
    return Fields({name: Field.from_facts(facts) for name, facts in info["fields"].items()})
