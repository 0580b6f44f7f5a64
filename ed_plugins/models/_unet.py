"""Contracting path, expanding path and skip connections of the U-Nets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from keras import Input, Model, layers

from ed_core import CentredBatchNormalization, EdkitError, Field, FieldError, Fields, augment
from ed_plugins.models._conv import margins

Tensor = Any
Augment = Literal["none", "street", "aerial"]


def contract(image: Tensor, filters: Sequence[int], stride: int, suffix: str = "") -> list[Tensor]:
    """Return the maps of every level, (batch, rows, columns, filters), the finest first.

    Two convolutions a level, halved by pooling (Ronneberger et al., 2015, section 2), here with
    batch normalisation and on an image padded with zeros to a size that all halvings divide.

    Args:
        image: (batch, height, width, channels).
        filters: of each level.
        stride: of the first convolution; with 2 all layers work at half the size.
        suffix: of the layers' names, such as "_elevation"; the option is then `elevation_filters`.

    Raises:
        EdkitError: fewer than two levels, and so no skip; or a stride other than 1 and 2.
    """
    if stride not in (1, 2):
        raise EdkitError(f"option 'stride' is 1 or 2, received {stride}.")
    if len(filters) < 2:
        option = f"{suffix}_filters".strip("_")
        received = ",".join(map(str, filters)) or "none"
        raise EdkitError(
            f"option {option!r} is two numbers or more, a level each, received {received}."
        )
    halvings = len(filters) - 1 + (stride == 2)
    x = layers.ZeroPadding2D(margins(image.shape[1:], halvings), name=f"pad{suffix}")(image)
    levels = []
    for number, count in enumerate(filters, 1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"pool_{number}{suffix}")(x)
        x = _conv(x, count, f"{number}_1{suffix}", stride if number == 1 else 1)
        x = _conv(x, count, f"{number}_2{suffix}")
        levels.append(x)
    return levels


def encoder(inputs: Mapping[str, Tensor], levels: Sequence[Tensor], dropout: float) -> Model:
    """Return the model to `skip_1`, `skip_2`, ..., the finest first, and the deepest as `code`."""
    outputs = {f"skip_{number}": maps for number, maps in enumerate(levels[:-1], 1)}
    code = layers.Dropout(dropout, seed=0, name="dropout")(levels[-1])
    return Model(dict(inputs), {**outputs, "code": code}, name="encoder")


def decoder(contracting: Model, fields: Mapping[str, Field], stride: int) -> Model:
    """Return the model from an encoder's outputs to one map a field, by name.

    Fields of classes get probabilities (batch, *shape, classes), others linear values (batch,
    *shape).
    """
    inputs = {name: Input(t.shape[1:], name=name) for name, t in contracting.output.items()}
    x = inputs["code"]
    for number in range(len(inputs) - 1, 0, -1):
        skip = inputs[f"skip_{number}"]
        x = layers.Conv2D(skip.shape[-1], 1, name=f"narrow_{number}")(x)
        x = layers.UpSampling2D(2, name=f"up_{number}")(x)
        x = layers.Concatenate(name=f"join_{number}")([skip, x])
        for part in (1, 2):
            x = _conv(x, skip.shape[-1], f"{number}_{part}")
    halvings = len(inputs) - 1 + (stride == 2)
    outputs = {name: _head(x, name, field, halvings) for name, field in fields.items()}
    return Model(inputs, outputs, name="decoder")


def chain(contracting: Model, expanding: Model) -> Model:
    """Return the model from the inputs of an encoder to the outputs of its decoder."""
    inputs = {name: Input(t.shape[1:], name=name) for name, t in contracting.input.items()}
    return Model(inputs, expanding(contracting(inputs)))


def check_maps(fields: Fields, *names: str) -> None:
    """Raise FieldError unless the fields have the image's size and their classes have names."""
    image = fields["image"]
    for name in names:
        field = fields[name]
        if field.shape[:2] != image.shape[:2] or field.shape[2:] not in ((), (1,)):
            raise FieldError(
                f"field {name!r} needs one number for every pixel of field 'image', which is "
                f"{image.shape}, received {field.shape}: bring both to one size."
            )
        if field.kind == "class" and not field.classes:
            raise FieldError(f"field {name!r} needs the names of its classes, received none.")


def augmented(
    batch: dict[str, np.ndarray], random: np.random.Generator, *, params: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return the batch augmented according to the option `augment`."""
    if params["augment"] == "none":
        return batch
    batch = augment.zoomed(augment.mirrored(batch, random), random)
    return augment.turned(batch, random) if params["augment"] == "aerial" else batch


def _head(x: Tensor, name: str, field: Field, halvings: int) -> Tensor:
    """Return the map of one field, at the size of the field."""
    classes = len(field.classes) if field.kind == "class" else 1
    x = layers.Conv2D(classes, 1, name=f"{name}_pixels")(x)
    crop = margins((*field.shape[:2], classes), halvings)
    if x.shape[1] < field.shape[0] + sum(crop[0]):
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"{name}_up")(x)
    x = layers.Cropping2D(crop, name=f"{name}_crop")(x)
    if field.kind == "class":
        x = layers.Softmax(name=f"{name}_softmax")(x)
        return layers.Reshape((*field.shape, classes), name=name)(x)
    return layers.Reshape(field.shape, name=name)(x)


def _conv(x: Tensor, filters: int, name: str, stride: int = 1) -> Tensor:
    x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False, name=f"conv_{name}")(x)
    # An average of 0.9 follows the weights closely enough for runs of a hundred steps.
    x = CentredBatchNormalization(momentum=0.9, name=f"norm_{name}")(x)
    return layers.ReLU(name=f"relu_{name}")(x)
