"""Probe of predictions beside their targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.nn.submodels import by_name, channels_first_in, output_among
from ed_core.probes.base import Batch, Bound, Probe, first, half, keeping_digits, sample_axes
from ed_core.probes.reading import ModelCall, Reading

REFERENCE = 512  # samples: as many as training takes for the reference batch
_SMALL = 256  # classes whose numbers fit into a byte
_MAP = 4  # axes of class probabilities for every pixel: (samples, height, width, classes)


@dataclass(frozen=True)
class Predictions(Probe):
    """What an output predicts for the first samples of the reference, to be shown beside the truth.

    Records one array, shaped like the output: `values` (samples,) or (samples, height, width, 1),
    as float16, or as float32 where that loses digits of the target; or
    `probabilities` (samples, classes) as float16. Where every pixel has class probabilities,
    `classes` (samples, height, width) holds the number of the most probable one instead, as uint8
    where they are at most 256. The name of the array chooses the panel.

    Args:
        output: of the model.
        target: the field it is compared with; by default the one named like the output.
        samples: how many; by default the whole reference, which of maps is too much.
        optional: whether the model may lack the output, and then the probe.
    """

    output: str
    target: str = ""
    samples: int = REFERENCE
    optional: bool = False
    kind: ClassVar[str] = "predictions"

    @property
    def name(self) -> str:
        """Named after the output, since a model may have several."""
        return f"{self.kind} {self.output}"

    def suits(self, net: Any) -> bool:
        """Return whether the model has the output, where it may lack it."""
        return not self.optional or self.output in net.output

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to the one array."""
        asked, recorded = f"Predictions({self.output!r})", keeping_digits()
        axis = 1 if channels_first_in(net, self.output) else -1

        def made(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            few = first(batch, self.samples)
            named = by_name(net, outputs["net"], self.output)
            values = output_among(named, self.output, None, asked)
            if values.ndim == _MAP and values.shape[axis] > 1:
                small = "uint8" if values.shape[axis] <= _SMALL else "uint16"
                return {"classes": values.argmax(axis=axis).astype(small)}
            if values.ndim == 2 and values.shape[-1] > 1:
                return {"probabilities": half(values)}
            return {"values": recorded(values, few.get(self.target or self.output))}

        return Reading({"net": ModelCall(net, lambda batch: first(batch, self.samples))}, made)

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (sample, class), (sample, height, width) or those of a sample's values."""
        if array == "probabilities":
            return ("sample", "class")
        if array == "classes":
            return ("sample", "height", "width")
        return ("sample", *sample_axes(ndim - 1))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the output, and its target if that is a field of the reference."""
        target = self.target or self.output
        return {"output": self.output, "target": target if target in fields else None}
