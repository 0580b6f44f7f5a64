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
    symbolic_outputs,
    takes,
    weighted_layers,
)
from ed_core.probes.base import Batch, Bound, Probe, first, half
from ed_core.probes.latent import code_of
from ed_core.probes.reading import ModelCall, Reading


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
        parts = {path: self._maps(net, path) for path in self.paths}
        fed = {path: part for path, part in parts.items() if not isinstance(part, keras.Model)}
        front = {name for path in self.paths for name in _front(_layers(net, path))}

        def made(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            few = first(batch, self.samples)
            maps = [fed[path](few) if path in fed else outputs[path] for path in self.paths]
            return {
                name: half(
                    value[:, : self.channels]
                    if name in front and value.ndim > 2
                    else value[..., : self.channels]
                )
                for part in maps
                for name, value in part.items()
            }

        calls = {
            path: ModelCall(part, lambda batch: first(batch, self.samples))
            for path, part in parts.items()
            if path not in fed
        }
        return Reading(calls, made)

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the field that the maps stand below, and how many channels there are at most."""
        images = [name for name, facts in fields.items() if facts["kind"] == "image"]
        field = images[0] if images else None
        return {"field": field, "samples": self.samples, "channels": self.channels}

    def model_options(self, net: Any) -> dict[str, Any]:
        """Return how many channels or units each layer really has, `of` them some are recorded."""
        layers = {name: layer for path in self.paths for name, layer in _layers(net, path).items()}
        sizes = {name: layer.output.shape for name, layer in layers.items()}
        front = _front(layers)
        return {
            "of": {
                name: shape[1] if name in front and len(shape) > 2 else shape[-1]
                for name, shape in sizes.items()
            }
        }

    def _maps(self, net: Any, path: str) -> Any:
        """Return the model from fields of a batch to the maps of one path, or the function."""
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
        if owner is net:
            return maps
        part = path.partition("/")[0]
        if submodel(net, part) is not owner:
            raise EdkitError(
                f"Activations({path!r}): nobody can know what {owner.name!r} is given inside of "
                f"{part!r}; choose layers of {part!r} itself."
            )
        encoder = None if part == "encoder" else encoder_for(net, owner)
        if encoder is None:
            return maps
        chained = _chained(encoder, maps) if part == "decoder" else None
        return chained or _fed(encoder, owner, maps, part)


def _chained(encoder: Any, maps: Any) -> Any:
    """Return the model from an encoder's inputs to maps of its decoder, if inputs have names."""
    if not isinstance(maps.input, dict) or not isinstance(encoder.input, dict):
        return None
    needed = inputs_of(maps) or {}
    ends = {**encoder.input, **symbolic_outputs(encoder, "code")}
    if "code" not in needed or "code" not in ends:
        return None
    others = {
        name: keras.Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for name, tensor in needed.items()
        if name not in ends
    }
    given = {name: others.get(name, ends.get(name)) for name in needed}
    return keras.Model({**encoder.input, **others}, maps(given))


def _fed(encoder: Any, owner: Any, maps: Any, part: str) -> Bound:
    """Return the function that gives the maps of a submodel its inputs, which may be codes."""

    def fed(batch: Batch) -> dict[str, np.ndarray]:
        if part != "decoder" and takes(owner, batch):
            return dict(call(maps, batch))
        outputs = outputs_of(encoder, batch, "code")
        tensors = {**batch, **outputs}
        if not all(name in tensors for name in inputs_of(owner) or {}):
            tensors[code_name(owner, list(batch))] = code_of(outputs, encoder.name)
        return dict(call(maps, tensors))

    return fed


def _front(layers: Mapping[str, Any]) -> set[str]:
    """Return the paths of those layers that have the channels first."""
    return {name for name, layer in layers.items() if channels_first(layer)}


def _layers(net: Any, path: str) -> dict[str, Any]:
    """Return a layer, or the layers of a submodel that have weights, by their paths."""
    _, part = layer_at(net, path)
    return weighted_layers(part, path) if isinstance(part, keras.Model) else {path: part}
