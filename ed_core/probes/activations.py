"""What the layers respond to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from ed_core.errors import EdkitError
from ed_core.probes.base import Batch, Bound, Probe, first, half
from ed_core.submodels import as_dict, call, layer_at, submodel, weighted_layers


@dataclass(frozen=True, init=False)
class Activations(Probe):
    """The activation maps of chosen layers, for the first samples of the reference.

    Records one array a layer: (samples, height, width, channels) or (samples, units), as float16.
    The layers must lie in a functional model or submodel: of a subclassed one nobody can know what
    leads to them.

    Args:
        paths: layers (`encoder/conv_1`) or submodels, which stand for all their layers that have
            weights and give maps or units.
        samples: how many samples.
        channels: how many channels of a layer at the most.
    """

    paths: tuple[str, ...]
    samples: int
    channels: int
    kind: ClassVar[str] = "activations"

    def __init__(self, *paths: str, samples: int = 8, channels: int = 32) -> None:
        object.__setattr__(self, "paths", paths)
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "channels", channels)

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to one array a layer."""
        parts = [self._maps(net, path) for path in self.paths]

        def read(batch: Batch) -> dict[str, np.ndarray]:
            few = first(batch, self.samples)
            maps = {name: value for part in parts for name, value in part(few).items()}
            return {name: half(value[..., : self.channels]) for name, value in maps.items()}

        return read

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that the maps stand below, and how many channels there are at most."""
        images = [name for name, facts in fields.items() if facts["kind"] == "image"]
        field = images[0] if images else None
        return {"field": field, "samples": self.samples, "channels": self.channels}

    def _maps(self, net: Any, path: str) -> Bound:
        """Return the function for one path; layers of the decoder are fed by the encoder."""
        owner, found = layer_at(net, path)
        named = weighted_layers(found, path) if isinstance(found, keras.Model) else {path: found}
        if not hasattr(owner, "inputs") or not named:
            raise EdkitError(f"Activations({path!r}): activations need a functional model.")
        maps = keras.Model(owner.input, {name: layer.output for name, layer in named.items()})
        if path.partition("/")[0] != "decoder":
            return lambda batch: call(maps, batch)
        encoder = submodel(net, "encoder")
        return lambda batch: call(maps, as_dict(call(encoder, batch), "code"))
