"""The output beside the input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.errors import EdkitError
from ed_core.probes.base import Batch, Bound, Probe, first, half
from ed_core.submodels import as_dict, call


@dataclass(frozen=True)
class Reconstruction(Probe):
    """The output beside the input of the same name, for the first samples of the reference.

    Records `output` (samples, ...) as float16.
    """

    field: str
    samples: int = 16
    kind: ClassVar[str] = "reconstruction"

    @property
    def name(self) -> str:
        """Named after the field where it is not the image."""
        return self.kind if self.field == "image" else f"{self.kind} {self.field}"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to `output`."""

        def read(batch: Batch) -> dict[str, np.ndarray]:
            outputs = as_dict(call(net, first(batch, self.samples)), self.field)
            if self.field not in outputs:
                raise EdkitError(
                    f"Reconstruction({self.field!r}): the model's outputs are {sorted(outputs)}."
                )
            return {"output": half(outputs[self.field])}

        return read

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field and how many samples are shown."""
        return {"field": self.field, "samples": self.samples}
