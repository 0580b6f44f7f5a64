"""The model of an earlier run as a part of a new one."""

from typing import Any, Literal

from ed_core import EdkitError, Field, FieldError, Fields, open_run
from ed_core.submodels import submodel

Weights = Literal["last", "best"]


def earlier(
    path: str, fields: Fields, option: str, *, trained: bool = True, weights: Weights = "last"
) -> Any:
    """Return the model of a run whose encoder takes fields of this data set and gives a code.

    Args:
        path: the run's folder.
        fields: of the data set.
        option: that holds the path, for messages.
        trained: take its weights; otherwise draw new ones from the seed of the model being built.
        weights: of its last step, or of its best epoch.

    Raises:
        EdkitError: it is no run, has no such weights or no encoder, or its fields differ from those
            of the data set.
    """
    try:
        run = open_run(path, weights=weights)
        encoder = run.encoder
    except EdkitError as error:
        raise EdkitError(f"option {option!r}: {error}") from error
    if "code" not in encoder.output:
        raise EdkitError(f"option {option!r}: the encoder of run {path!r} gives no code.")
    for name in encoder.input:
        expected = _facts(Field.from_facts(run.info["fields"][name]))
        found = _facts(fields[name]) if name in fields else "none"
        if found != expected:
            raise FieldError(
                f"option {option!r}: the encoder of run {path!r} takes {name!r}, {expected}; "
                f"the data set has {found}. Choose data or a run that fits."
            )
    if trained:
        return run.model
    stated = Fields({name: Field.from_facts(facts) for name, facts in run.info["fields"].items()})
    return run.spec.builder(stated, **run.spec.check(run.info["params"]))


def earlier_parts(path: str, fields: Fields, option: str, weights: Weights) -> tuple[Any, Any]:
    """Return the trained encoder and decoder of a run that gives an image back.

    Args:
        path: the run's folder.
        fields: of the data set.
        option: that holds the path, for messages.
        weights: of its last step, or of its best epoch.

    Raises:
        EdkitError: as `earlier`, or the run is no auto-encoder from image to image.
    """
    net = earlier(path, fields, option, weights=weights)
    try:
        parts = submodel(net, "encoder"), submodel(net, "decoder")
    except EdkitError as error:
        raise EdkitError(
            f"option {option!r}: run {path!r} has no decoder; expected an auto-encoder from image "
            "to image."
        ) from error
    if [*parts[0].input, *parts[1].input, *parts[1].output] != ["image", "code", "image"]:
        raise EdkitError(
            f"option {option!r}: run {path!r} goes from {', '.join(parts[0].input)} to "
            f"{', '.join(parts[1].output)}; expected an auto-encoder from image to image."
        )
    return parts


def _facts(field: Field) -> str:
    classes = f" of {', '.join(field.classes)}" if field.classes else ""
    return f"{field.kind} {field.shape}{classes}"
