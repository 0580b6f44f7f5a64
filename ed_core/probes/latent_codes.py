"""Where the samples lie in the code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.errors import EdkitError
from ed_core.probes.base import Batch, Bound, Probe, first, flat
from ed_core.submodels import outputs_of, submodel


@dataclass(frozen=True)
class LatentCodes(Probe):
    """The codes of the reference batch, coloured by a class field.

    Records `codes` (samples, latent) as float32; a code with more axes is flattened.

    Args:
        encoder: the submodel.
        label: the class field.
        samples: how many.
        output: of the encoder, where it has several; by default the one named `code`.
    """

    encoder: str = "encoder"
    label: str = "label"
    samples: int = 500
    output: str = "code"
    kind: ClassVar[str] = "latent_codes"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to `codes`."""
        encode = encoder_of(net, self.encoder, self.output)
        return lambda batch: {"codes": flat(encode(first(batch, self.samples)))}

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (sample, latent)."""
        return ("sample", "latent")

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that colours the points, if there is one."""
        return {"label": self.label if self.label in fields else None}


def encoder_of(
    net: Any, path: str = "encoder", output: str = "code"
) -> Callable[[Batch], np.ndarray]:
    """Return the function from a batch to its codes (samples, ...)."""
    encoder = submodel(net, path)
    return lambda batch: code_of(outputs_of(encoder, batch, output), path, output)


def code_of(outputs: Mapping[str, Any], path: str, output: str = "code") -> np.ndarray:
    """Return the code among the outputs of an encoder; raises EdkitError if nobody can know it."""
    if output not in outputs:
        names = list(outputs)
        raise EdkitError(
            f"the outputs of {path!r} are {names}, none is named {output!r}: choose one, as in "
            f"LatentCodes({path!r}, output={names[0]!r})."
        )
    return np.asarray(outputs[output])
