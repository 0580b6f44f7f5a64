"""Probe of reconstructions beside their inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.nn.submodels import by_name, output_among
from ed_core.probes.base import Batch, Bound, Probe, first, keeping_digits
from ed_core.probes.reading import ModelCall, Reading


@dataclass(frozen=True)
class Reconstruction(Probe):
    """The output beside the input of the same name, for the first samples of the reference.

    Records `output` (samples, ...) as float16, or as float32 where that loses digits of the field.
    Of several outputs it is the one named like the field, else the only one of its shape. Where
    the field is whole numbers (bytes), or a layer of the model rescales its input, nobody can know
    whether output and input are on one scale: then no error is shown, unless `target` says what
    the output is compared with.

    Args:
        field: the output, and the field of the reference that it is compared with.
        samples: how many.
        target: the field that it is compared with, where it is another one, such as the same
            pictures in 0..1; `field` itself says that they are on one scale.
        optional: whether the model may lack the output, and then the probe.
    """

    field: str
    samples: int = 16
    target: str = ""
    optional: bool = False
    kind: ClassVar[str] = "reconstruction"

    @property
    def name(self) -> str:
        """Named after the field where it is not the image."""
        return self.kind if self.field == "image" else f"{self.kind} {self.field}"

    def suits(self, net: Any) -> bool:
        """Return whether the model has the output, where it may lack it."""
        return not self.optional or self.field in net.output

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to `output`."""
        asked, recorded = f"Reconstruction({self.field!r})", keeping_digits()

        def made(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            beside = first(batch, self.samples).get(self.target or self.field)
            named = by_name(net, outputs["net"], self.field)
            output = output_among(named, self.field, beside, asked)
            return {"output": recorded(output, beside)}

        return Reading({"net": ModelCall(net, lambda batch: first(batch, self.samples))}, made)

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field, how many samples are shown, and whether they cannot be compared."""
        field = self.target or self.field
        unlike = not self.target and fields.get(field, {}).get("rescaled")
        options = {"field": field, "samples": self.samples}
        return {**options, "compared": False} if unlike else options
