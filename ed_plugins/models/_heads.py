"""What is read from a code: a class or a number, behind dense layers."""

from collections.abc import Sequence
from typing import Any

from keras import Input, Model, layers

from ed_core import FieldError, Fields
from ed_plugins.models import _dense

Tensor = Any


def classify(
    code: Tensor,
    fields: Fields,
    target: str,
    units: Sequence[int] = (),
    *,
    dropout: float = 0.0,
    name: str = "",
) -> Model:
    """Return the model from `code` to the probabilities (batch, classes) of a field's classes.

    Args:
        code: what the encoder gives, (batch, ...).
        fields: of the data set.
        target: the field of the classes.
        units: of the dense layers before the last.
        dropout: share of the last layer's inputs that are left out while training.
        name: of the output; by default that of the field.
    """
    name = name or target
    given = Input(code.shape[1:], name="code")
    x = _dense.contract(given, units)
    if dropout:
        x = layers.Dropout(dropout, seed=0, name="dropout")(x)
    x = layers.Dense(class_count(fields, target), activation="softmax", name=name)(x)
    return Model({"code": given}, {name: x}, name=f"{name}_head")


def estimate(code: Tensor, target: str, units: Sequence[int] = (), scale: float = 1.0) -> Model:
    """Return the model from `code` to a number (batch,), named like its field.

    Args:
        code: what the encoder gives, (batch, ...).
        target: the field of the number.
        units: of the dense layers before the last.
        scale: of the number; the layers work in its units.
    """
    given = Input(code.shape[1:], name="code")
    x = layers.Dense(1, name=target)(_dense.contract(given, units))
    return Model({"code": given}, {target: scale * x[:, 0]}, name=f"{target}_head")


def class_count(fields: Fields, name: str) -> int:
    """Return how many classes a field has; raises FieldError where a sample has no class of it."""
    field = fields[name]
    if field.kind != "class" or field.shape or not field.classes:
        raise FieldError(
            f"the model needs one class a sample in field {name!r}, which is {field.kind} "
            f"{field.shape} with {len(field.classes)} classes."
        )
    return len(field.classes)
