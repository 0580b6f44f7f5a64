"""Decoder of a model: from a code, or a code and a class, to an output."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.nn.submodels import inputs_of, outputs_of, submodel
from ed_core.plugins.spec import Field

_NAMES = ("decoder", "generator")
_KINDS = ("image", "video", "signal")


@dataclass(frozen=True)
class Decoder:
    """A submodel from codes to outputs.

    Attributes:
        model: the submodel.
        output: the output that is looked at.
        label: its input that takes a class number (batch,), or "".
        classes: the names of these classes, () where it takes none.
    """

    model: Any
    output: str
    label: str = ""
    classes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one code."""
        return tuple(int(side) for side in self.model.input["code"].shape[1:])

    def inputs(self, codes: np.ndarray, labels: np.ndarray | int = 0) -> dict[str, np.ndarray]:
        """Return the submodel's inputs for codes (samples, ...), flat or not.

        Args:
            codes: (samples, ...).
            labels: (samples,) class numbers, or one for all; for a conditional decoder.
        """
        inputs = {"code": codes.reshape(len(codes), *self.shape).astype("float32")}
        if self.label:
            inputs[self.label] = np.broadcast_to(labels, len(codes)).astype("int32")
        return inputs

    def __call__(self, codes: np.ndarray, labels: np.ndarray | int = 0) -> np.ndarray:
        """Return the output (samples, ...) for codes; see `inputs`."""
        outputs = outputs_of(self.model, self.inputs(codes, labels), self.output)
        return np.asarray(outputs[self.output])


def find_decoder(net: Any, fields: Mapping[str, Field]) -> Decoder:
    """Return the decoder, or generator, of a model.

    Of several outputs it looks at that which is an image, a video or a signal of the data.

    Raises:
        EdkitError: there is none, or it takes more than a code and one class, such as skips.
    """
    why = "this model has no decoder"
    for name in _NAMES:
        try:
            model = submodel(net, name)
        except EdkitError:
            continue
        inputs = inputs_of(model) or {}
        others = [other for other in inputs if other != "code"]
        classes = [fields[o].classes for o in others if o in fields and fields[o].kind == "class"]
        if "code" not in inputs:
            why = f"its {name} takes no code, but {', '.join(others) or 'nothing by name'}"
        elif len(others) > 1 or len(classes) < len(others):
            why = f"its {name} takes more than a code: {', '.join(others)}"
        else:
            output = _output(model, fields)
            return Decoder(model, output, "".join(others), classes[0] if classes else ())
    raise EdkitError(f"{why}.")


def _output(model: Any, fields: Mapping[str, Field]) -> str:
    outputs = model.output if isinstance(model.output, dict) else {"output": model.output}
    for kind in _KINDS:
        shapes = {field.shape for field in fields.values() if field.kind == kind}
        for name, tensor in outputs.items():
            if tuple(tensor.shape[1:]) in shapes:
                return str(name)
    return str(next(iter(outputs)))
