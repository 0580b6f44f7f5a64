"""Probe of samples decoded from fixed noise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.errors import EdkitError
from ed_core.nn.submodels import by_name, code_name, code_shape, inputs_of, submodel
from ed_core.probes.base import Batch, Bound, Probe, keeping_digits, sample_axes
from ed_core.probes.latent import pictures
from ed_core.probes.reading import ModelCall, Reading
from ed_core.seeds import Seeds


@dataclass(frozen=True)
class Samples(Probe):
    """Output of a decoder or a generator for the same draws from N(0, 1) in every frame.

    A decoder that takes a class as well is given one after the other, a row of the picture each.
    Records `images` (samples, height, width, channels) as float16, or as float32 where that loses
    digits of the field that they are like, and, where there is a class to choose, `classes`
    (samples,), the one that was asked for.

    Args:
        decoder: the submodel, whose input `code`, or only other input, is the noise.
        label: its input that takes a class number, where it has one.
        samples: how many.
        seed: of the noise.
    """

    decoder: str = "decoder"
    label: str = "label"
    samples: int = 100
    seed: int = 0
    kind: ClassVar[str] = "samples"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch, of which only the classes are used, to `images`."""
        decoder = submodel(net, self.decoder)
        inputs = inputs_of(decoder) or {}
        noise_input = code_name(decoder, (self.label,))
        shape = code_shape(decoder, (self.label,))
        recorded, random = keeping_digits(), Seeds(self.seed).generator("samples")
        noise = random.standard_normal((self.samples, *shape), "float32")

        def given(batch: Batch) -> dict[str, np.ndarray]:
            decoder_inputs = {noise_input: noise}
            if self.label in inputs and self.label not in batch:
                raise EdkitError(
                    f"Samples({self.decoder!r}): its input {self.label!r} is no field of the "
                    f"reference, which has {', '.join(batch)}."
                )
            if self.label in inputs:
                classes = int(np.max(batch[self.label])) + 1
                rows = np.arange(self.samples) * classes // self.samples
                decoder_inputs[self.label] = rows.astype(batch[self.label].dtype)
            return decoder_inputs

        def made(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            asked = given(batch)
            classes = {"classes": asked[self.label]} if self.label in asked else {}
            named = by_name(decoder, outputs["decoder"], "image")
            return {"images": pictures(recorded, decoder, named, batch), **classes}

        return Reading({"decoder": ModelCall(decoder, given)}, made)

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (sample, height, width, channel), or (sample,) for the classes."""
        return ("sample", *sample_axes(ndim - 1))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that names the classes."""
        return {"label": self.label if self.label in fields else None}
