"""Predictions of a run's heads beside the truth."""

from typing import Literal

import numpy as np

from ed_core import evaluation
from ed_core.evaluation import intersection_over_union as intersection_over_union
from ed_core.evaluation import positions, tally
from ed_core.figures.material import Material
from ed_core.spec import Field, Head

Kind = Literal["class", "value"]

NO_TRUTH = "no truth recorded"


def heads_of(material: Material, kind: Kind, axes: int) -> list[Head]:
    """Return the heads that predict a class or a value, and were taught to.

    Args:
        material: the run.
        kind: of the target.
        axes: of the target: 0 where a sample has one, 2 where every pixel has one.
    """
    found = []
    for head in material.run.model.heads:
        field = material.fields.get(head.target) if head.needs_target else None
        if field is None or field.kind != kind or positions(field) != axes:
            continue
        if not material.run.taught(head):
            continue
        shape = tuple(material.run.model.output[head.output].shape[1:])
        if kind == "class":
            fits = len(shape) == axes + 1 and _are_probabilities(material, head)
        else:
            fits = shape[axes:] in ((), (1,))
        if fits:
            found.append(head)
    return found


def _are_probabilities(material: Material, head: Head) -> bool:
    """Return whether an output is a class at all: a code may be trained against classes as well."""
    first = material.whole.outputs[head.output][:1]
    return bool(np.all(first >= 0) and np.allclose(first.sum(axis=-1), 1, atol=1e-3))


def rivals(materials: list[Material], head: Head, axes: int) -> list[tuple[Material, Head]]:
    """Return each run with its head on the same target as this one, among as many classes.

    Args:
        materials: the runs, the first of which has the head.
        head: predicts a class.
        axes: of the target, see `heads_of`.
    """
    classes = materials[0].run.model.output[head.output].shape[-1]
    return [
        (material, own)
        for material in materials
        for own in heads_of(material, "class", axes)
        if own.target == head.target and material.run.model.output[own.output].shape[-1] == classes
    ]


def truth(material: Material, head: Head) -> np.ndarray:
    """Return the target (samples, ...) without an axis of size 1; -1 or NaN where there is none."""
    return evaluation.truth(material.samples, material.fields[head.target], head)


def predicted(material: Material, head: Head) -> np.ndarray:
    """Return what a head says of every sample: values, or the most probable classes."""
    output = material.outputs[head.output]
    field = material.fields[head.target]
    if field.kind == "class":
        return output.argmax(axis=-1)
    return output.reshape(output.shape[: 1 + positions(field)])


def spread(material: Material, count: int) -> np.ndarray:
    """Return rows (at most count,) spread over all samples: neighbours in a film are alike."""
    there = len(next(iter(material.samples.values())))
    return np.unique(np.linspace(0, there - 1, min(count, there)).round().astype("int64"))


def confusion(material: Material, head: Head) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), missing targets left out.

    Returns:
        (classes, classes) integers, of samples or of pixels.
    """
    classes = material.run.model.output[head.output].shape[-1]
    return tally(truth(material, head), predicted(material, head), classes)


def in_unit(name: str, field: Field) -> str:
    """Return what an axis of a field says: its name, and its unit in brackets."""
    return f"{name} ({field.unit})" if field.unit else name


def measured(number: float, field: Field) -> str:
    """Return a number of a field with three digits and the field's unit."""
    apart = "" if field.unit in ("", "°") else " "
    return f"{number:.3g}{apart}{field.unit}"


def class_names(field: Field, classes: int) -> list[str]:
    """Return the name of every class, its number where it has none."""
    return [field.classes[n] if n < len(field.classes) else str(n) for n in range(classes)]
