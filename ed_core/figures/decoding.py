"""Codes turned into pictures by a run's decoder, whatever else the decoder is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.evaluation import predict
from ed_core.figures.material import Material
from ed_core.figures.mosaic import picture
from ed_core.submodels import inputs_of, submodel

_NAMES = ("decoder", "generator")


@dataclass(frozen=True)
class Decoder:
    """A submodel that makes an image of a code, and of a class where it is conditional.

    Args:
        model: the submodel.
        image: its output.
        label: its input that takes a class number (batch,), or "".
        classes: how many classes there are, 0 where it takes none.
    """

    model: Any
    image: str
    label: str
    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one code."""
        return tuple(self.model.input["code"].shape[1:])

    def pictures(self, codes: np.ndarray, labels: np.ndarray | None = None) -> list[np.ndarray]:
        """Return what it makes of codes (samples, ...), flat or not, as grey or RGB in 0..1.

        Args:
            codes: (samples, ...).
            labels: (samples,) class numbers, for a conditional decoder.
        """
        given = {"code": codes.reshape(len(codes), *self.shape).astype("float32")}
        if self.label and labels is not None:
            given[self.label] = labels.astype("int32")
        return [picture(image) for image in predict(self.model, given)[self.image]]


def decoder_of(material: Material) -> Decoder | None:
    """Return the decoder or generator of a run, or None where none makes images of codes alone.

    Beside the code it may take one class; one that needs more, such as skips, does not count.
    """
    for name in _NAMES:
        try:
            model = submodel(material.run.model, name)
        except EdkitError:
            continue
        inputs = inputs_of(model) or {}
        others = [name for name in inputs if name != "code"]
        known = [material.fields.get(name) for name in others]
        if (
            "code" not in inputs
            or len(others) > 1
            or any(not f or f.kind != "class" for f in known)
        ):
            continue
        image = _image_of(material, model)
        if image is not None:
            label = others[0] if others else ""
            return Decoder(model, image, label, _classes(material, label))
    return None


def _image_of(material: Material, model: Any) -> str | None:
    """Return the output shaped like an image field."""
    images = {field.shape for field in material.fields.values() if field.kind == "image"}
    for name, tensor in model.output.items():
        if tuple(tensor.shape[1:]) in images and len(tensor.shape) == 4:
            return str(name)
    return None


def _classes(material: Material, label: str) -> int:
    if not label:
        return 0
    return len(material.fields[label].classes) or int(material.samples[label].max()) + 1
