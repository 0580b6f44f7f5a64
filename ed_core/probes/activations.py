"""Probe of activation maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from ed_core.errors import EdkitError
from ed_core.nn.submodels import (
    call,
    channels_first,
    code_name,
    encoder_for,
    inputs_of,
    layer_at,
    outputs_of,
    submodel,
    takes,
    weighted_layers,
)
from ed_core.probes.base import Batch, Bound, Probe, first, half
from ed_core.probes.latent import code_of


@dataclass(frozen=True, init=False)
class Activations(Probe):
    """The activation maps of chosen layers, for the first samples of the reference.

    Records one array a layer: (samples, height, width, channels) or (samples, units), as float16,
    or as float32 beyond its range; (samples, channels, height, width) where the layer has the
    channels first.
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
            return {name: half(value) for name, value in maps.items()}

        return read

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that the maps stand below, and how many channels there are at most."""
        images = [name for name, facts in fields.items() if facts["kind"] == "image"]
        field = images[0] if images else None
        return {"field": field, "samples": self.samples, "channels": self.channels}

    def model_options(self, net: Any) -> dict[str, Any]:
        """Return how many channels or units each layer really has, `of` them some are recorded."""
        layers = {name: layer for path in self.paths for name, layer in _layers(net, path).items()}
        sizes = {name: layer.output.shape for name, layer in layers.items()}
        front = {name for name, layer in layers.items() if channels_first(layer)}
        return {
            "of": {
                name: shape[1] if name in front and len(shape) > 2 else shape[-1]
                for name, shape in sizes.items()
            }
        }

    def _maps(self, net: Any, path: str) -> Bound:
        """Return the function for one path; layers of a decoder are fed by its encoder."""
        owner, _ = layer_at(net, path)
        named = _layers(net, path)
        if not inputs_of(owner) or not named:
            raise EdkitError(
                f"Activations({path!r}): activations need a functional model, {owner.name!r} is "
                "none."
            )
        maps = keras.Model(
            owner.inputs[0] if isinstance(owner, keras.Sequential) else owner.input,
            {name: layer.output for name, layer in named.items()},
        )
        first = {name for name, layer in named.items() if channels_first(layer)}

        def read(batch: Batch) -> dict[str, np.ndarray]:
            outputs = call(maps, batch)
            return {
                name: value[:, : self.channels]
                if name in first and value.ndim > 2
                else value[..., : self.channels]
                for name, value in outputs.items()
            }

        return self._fed(net, path, owner, read)

    def _fed(self, net: Any, path: str, owner: Any, read: Bound) -> Bound:
        """Return what gives the layers of a submodel its inputs, which may be codes."""
        if owner is net:
            return read
        part = path.partition("/")[0]
        if submodel(net, part) is not owner:
            raise EdkitError(
                f"Activations({path!r}): nobody can know what {owner.name!r} is given inside of "
                f"{part!r}; choose layers of {part!r} itself."
            )
        encoder = None if part == "encoder" else encoder_for(net, owner)

        def fed(batch: Batch) -> dict[str, np.ndarray]:
            if encoder is None or (part != "decoder" and takes(owner, batch)):
                return read(batch)
            outputs = outputs_of(encoder, batch, "code")
            tensors = {**batch, **outputs}
            if not all(name in tensors for name in inputs_of(owner) or {}):
                tensors[code_name(owner, list(batch))] = code_of(outputs, encoder.name)
            return read(tensors)

        return fed


def _layers(net: Any, path: str) -> dict[str, Any]:
    """Return a layer, or the layers of a submodel that have weights, by their paths."""
    _, part = layer_at(net, path)
    return weighted_layers(part, path) if isinstance(part, keras.Model) else {path: part}
