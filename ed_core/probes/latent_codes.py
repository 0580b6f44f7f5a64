"""Where the samples lie in the code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.probes.base import Batch, Bound, Probe, first, flat
from ed_core.submodels import as_dict, call, submodel


@dataclass(frozen=True)
class LatentCodes(Probe):
    """The codes of the reference batch, coloured by a class field.

    Records `codes` (samples, latent) as float32; a code with more axes is flattened.
    """

    encoder: str = "encoder"
    label: str = "label"
    samples: int = 500
    kind: ClassVar[str] = "latent_codes"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to `codes`."""
        encode = encoder_of(net, self.encoder)
        return lambda batch: {"codes": flat(encode(first(batch, self.samples)))}

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (sample, latent)."""
        return ("sample", "latent")

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that colours the points, if there is one."""
        return {"label": self.label if self.label in fields else None}


def encoder_of(net: Any, path: str = "encoder") -> Callable[[Batch], np.ndarray]:
    """Return the function from a batch to its codes (samples, ...)."""
    encoder = submodel(net, path)
    return lambda batch: as_dict(call(encoder, batch), "code")["code"]
