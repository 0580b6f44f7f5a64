"""Heads on a code: classes or a number, through dense layers."""

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
        dropout: share of the last layer's inputs dropped during training.
        name: of the output; by default that of the field.
    """
    name = name or target
    code_input = Input(code.shape[1:], name="code")
    x = _dense.contract(code_input, units)
    if dropout:
        x = layers.Dropout(dropout, seed=0, name="dropout")(x)
    x = layers.Dense(class_count(fields, target), activation="softmax", name=name)(x)
    return Model({"code": code_input}, {name: x}, name=f"{name}_head")


def estimate(
    code: Tensor, target: str, units: Sequence[int] = (), scale: float = 1.0, mean: float = 0.0
) -> Model:
    """Return the model from `code` to a number (batch,), named like its field.

    Args:
        code: what the encoder gives, (batch, ...).
        target: the field of the number.
        units: of the dense layers before the last.
        scale: of the number; the layers work in multiples of it.
        mean: of the number, from which these are counted.
    """
    code_input = Input(code.shape[1:], name="code")
    x = layers.Dense(1, name=target)(_dense.contract(code_input, units))
    value = scale * x[:, 0]
    value = value + mean if mean else value
    return Model({"code": code_input}, {target: value}, name=f"{target}_head")


def class_count(fields: Fields, name: str) -> int:
    """Return the number of classes of a field; raise FieldError if it is not one class a sample."""
    field = fields[name]
    if field.kind != "class" or field.shape or not field.classes:
        raise FieldError(
            f"the model needs one class a sample in field {name!r}, which is {field.kind} "
            f"{field.shape} with {len(field.classes)} classes."
        )
    return len(field.classes)
