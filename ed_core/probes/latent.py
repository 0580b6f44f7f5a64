"""Probes of the latent space: codes of samples, and a decoded grid."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from ed_core.errors import EdkitError
from ed_core.nn.submodels import (
    by_name,
    code_name,
    code_shape,
    encoder_for,
    inputs_of,
    outputs_of,
    submodel,
    symbolic_outputs,
)
from ed_core.probes.base import (
    Batch,
    Bound,
    Probe,
    Recorded,
    first,
    flat,
    keeping_digits,
    sample_axes,
)
from ed_core.probes.reading import ModelCall, Reading


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
        encoder = submodel(net, self.encoder)

        def made(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            named = by_name(encoder, outputs["encoder"], self.output)
            return {"codes": flat(code_of(named, self.encoder, self.output))}

        few = ModelCall(encoder, lambda batch: first(batch, self.samples))
        return Reading({"encoder": few}, made)

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
    """Return the code among the outputs of an encoder; raise EdkitError if it is ambiguous."""
    if output not in outputs:
        names = list(outputs)
        raise EdkitError(
            f"the outputs of {path!r} are {names}, none is named {output!r}: choose one, as in "
            f"LatentCodes({path!r}, output={names[0]!r})."
        )
    return np.asarray(outputs[output])


@dataclass(frozen=True)
class LatentScan(Probe):
    """Decoded grid over two dimensions of the code.

    Where the encoder has a `posterior`, or there is no encoder, as of a generator, the grid lies at
    the quantiles of N(0, 1) (Kingma & Welling, 2014, figure 4) and the other dimensions are 0.
    Otherwise it spans the reference codes from their 5th to their 95th percentile, through their
    mean. A decoder that is also told something else, such as a class, is told that of the first
    sample. Records `grid` (rows, columns, height, width, channels) as float16, or as float32 where
    that loses digits of the field that it is like; `x` (columns,) and `y` (rows,) as float32.

    Args:
        decoder: the submodel.
        dimensions: of the code, from 0: along a row, and upwards.
        steps: rows and columns.
        encoder: the submodel whose codes it takes; where there is none of this name, the only
            other one that gives what the decoder takes.
    """

    decoder: str = "decoder"
    dimensions: tuple[int, int] = (0, 1)
    steps: int = 15
    encoder: str = "encoder"
    kind: ClassVar[str] = "latent_scan"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to the decoded grid."""
        decoder = submodel(net, self.decoder)
        encoder = encoder_for(net, decoder, self.encoder)
        recorded = keeping_digits()

        def made(named: Mapping[str, Any], batch: Batch, grid: "_Grid") -> dict[str, np.ndarray]:
            image = pictures(recorded, decoder, named, batch)
            tiles = image.reshape(len(grid.y), len(grid.x), *image.shape[1:])
            return {"grid": tiles, "x": grid.x.astype("f4"), "y": grid.y.astype("f4")}

        def prior(batch: Batch) -> _Grid:
            return self._grid(None, code_shape(decoder, list(batch)))

        def read(batch: Batch) -> dict[str, np.ndarray]:
            grid = prior(batch) if encoder is None else self._grid(*_codes(encoder, batch))
            inputs = _decoder_inputs(decoder, grid.codes, batch)
            return made(outputs_of(decoder, inputs, "image"), batch, grid)

        def made_of_prior(outputs: Mapping[str, Any], batch: Batch) -> dict[str, np.ndarray]:
            return made(by_name(decoder, outputs["decoder"], "image"), batch, prior(batch))

        if not _has_fixed_size(decoder) or (encoder is not None and not _has_prior(encoder)):
            return read
        given = lambda batch: _decoder_inputs(decoder, prior(batch).codes, batch)  # noqa: E731
        return Reading({"decoder": ModelCall(decoder, given)}, made_of_prior)

    def _grid(self, codes: np.ndarray | None, shape: tuple[int, ...]) -> "_Grid":
        """Return the grid in the space of codes (samples, size) of a shape; None for N(0, 1)."""
        size = int(np.prod(shape))
        if max(self.dimensions) >= size > 1:
            raise EdkitError(f"LatentScan{self.dimensions}: the code has {size} dimensions.")
        levels = np.linspace(0.05, 0.95, self.steps)
        centre = np.zeros(size)
        x = y = np.array([NormalDist().inv_cdf(level) for level in levels])
        if codes is not None:
            centre = codes.mean(axis=0)
            low, high = np.quantile(codes, (0.05, 0.95), axis=0)
            x, y = (
                np.linspace(low[d], high[d], self.steps)
                for d in np.minimum(self.dimensions, size - 1)
            )
        if size == 1:  # one row, along the only dimension
            y = np.zeros(1)
        return _Grid(scan(centre, self.dimensions, x, y).reshape(-1, *shape), x, y)

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (row, column, ...) for the grid."""
        if array in ("x", "y"):
            return ({"x": "column", "y": "row"}[array],)
        return ("row", "column", *sample_axes(ndim - 2))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the two dimensions that are scanned."""
        return {"dimensions": list(self.dimensions)}


@dataclass(frozen=True)
class _Grid:
    """Codes (rows * columns, ...), and where they lie along a row and upwards."""

    codes: np.ndarray
    x: np.ndarray
    y: np.ndarray


def _has_prior(encoder: Any) -> bool:
    """Tell whether the graph of an encoder says that its codes have N(0, 1) as their prior."""
    return "posterior" in symbolic_outputs(encoder, "code")


def _has_fixed_size(decoder: Any) -> bool:
    """Tell whether the graph of a decoder says which shape a code has."""
    inputs = inputs_of(decoder)
    return inputs is not None and all(None not in one.shape[1:] for one in inputs.values())


def decode(decoder: Any, codes: np.ndarray, batch: Batch) -> np.ndarray:
    """Return the output for `codes` (samples, ...), of several the one that is like a field.

    What else the decoder takes, such as a class, is that of the first sample of the batch.
    """
    inputs = _decoder_inputs(decoder, codes, batch)
    return _output(outputs_of(decoder, inputs, "image"), decoder, batch)[0]


def pictures(
    recorded: Recorded, decoder: Any, outputs: Mapping[str, Any], batch: Batch
) -> np.ndarray:
    """Return the output of a decoder as it is recorded.

    Args:
        recorded: gives it its type, see `keeping_digits`.
        decoder: the submodel.
        outputs: of it, by name.
        batch: the reference, with the field that the output is like.

    Raises:
        EdkitError: it has several outputs, and none is like one field alone.
    """
    return recorded(*_output(outputs, decoder, batch))


def _output(
    outputs: Mapping[str, Any], decoder: Any, batch: Batch
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the output that is like a field, by its name or else by its shape, and the field."""
    like = {
        name: batch[name]
        if name in batch
        else next((f for f in batch.values() if f.shape[1:] == np.shape(output)[1:] != ()), None)
        for name, output in outputs.items()
    }
    fits = [name for name in outputs if name in batch] or [n for n in like if like[n] is not None]
    name = next(iter(outputs)) if len(outputs) == 1 else fits[0] if len(fits) == 1 else ""
    if name not in outputs:
        raise EdkitError(
            f"the outputs of {decoder.name!r} are {sorted(outputs)}, and none alone is like a "
            "field of the reference: name the one that is shown like a field."
        )
    return np.asarray(outputs[name]), like[name]


def _codes(encoder: Any, batch: Batch) -> tuple[np.ndarray | None, tuple[int, ...]]:
    """Return codes (samples, size), None where N(0, 1) is their prior, and the shape of one."""
    # One sample tells the shape; all are needed only where there is no prior.
    outputs = outputs_of(encoder, first(batch, 1), "code")
    shape = code_of(outputs, encoder.name).shape[1:]
    if "posterior" in outputs:
        return None, shape
    return flat(code_of(outputs_of(encoder, first(batch, 256), "code"), encoder.name)), shape


def _decoder_inputs(decoder: Any, codes: np.ndarray, batch: Batch) -> dict[str, np.ndarray]:
    inputs = {code_name(decoder, list(batch)): codes}
    for name in inputs_of(decoder) or {}:
        if name in batch and name not in inputs:
            inputs[name] = np.repeat(batch[name][:1], len(codes), axis=0)
    return inputs


def scan(
    centre: np.ndarray, dimensions: tuple[int, int], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the codes (rows * columns, latent) of a grid: x along a row, y upwards."""
    codes = np.tile(np.asarray(centre, "float32"), (len(y), len(x), 1))
    if codes.shape[-1] > 1:
        codes[..., dimensions[1]] = y[::-1, None]
    codes[..., min(dimensions[0], codes.shape[-1] - 1)] = x[None, :]
    return codes.reshape(len(y) * len(x), -1)
