"""What the decoder makes of a plane through the code."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from ed_core.errors import EdkitError
from ed_core.probes.base import Batch, Bound, Probe, first, flat, half, sample_axes
from ed_core.submodels import as_dict, call, inputs_of, submodel


@dataclass(frozen=True)
class LatentScan(Probe):
    """What the decoder makes of a grid in two dimensions of the code.

    Where the encoder has a `posterior`, the grid lies at the quantiles of N(0, 1) (Kingma &
    Welling, 2014, figure 4) and the other dimensions are 0. Otherwise it spans the reference
    codes from their 5th to their 95th percentile, through their mean. A decoder that is also told
    something else, such as a class, is told that of the first sample. Records `grid` (rows,
    columns, height, width, channels) as float16, `x` (columns,) and `y` (rows,) as float32.
    """

    decoder: str = "decoder"
    dimensions: tuple[int, int] = (0, 1)
    steps: int = 15
    kind: ClassVar[str] = "latent_scan"

    def bind(self, net: Any) -> Bound:
        """Return the function from the batch to the decoded grid."""
        decoder = submodel(net, self.decoder)
        encoder = submodel(net, "encoder")
        levels = np.linspace(0.05, 0.95, self.steps)
        normal = np.array([NormalDist().inv_cdf(level) for level in levels])

        def read(batch: Batch) -> dict[str, np.ndarray]:
            # One sample tells the shape; all are needed only where there is no prior.
            outputs = as_dict(call(encoder, first(batch, 1)), "code")
            prior = "posterior" in outputs
            few = outputs if prior else as_dict(call(encoder, first(batch, 256)), "code")
            codes, shape = flat(few["code"]), few["code"].shape[1:]
            size = codes.shape[1]
            if max(self.dimensions) >= size > 1:
                raise EdkitError(f"LatentScan{self.dimensions}: the code has {size} dimensions.")
            centre, x, y = np.zeros(size), normal, normal
            if not prior:
                centre = codes.mean(axis=0)
                low, high = np.quantile(codes, (0.05, 0.95), axis=0)
                x, y = (
                    np.linspace(low[d], high[d], self.steps)
                    for d in np.minimum(self.dimensions, size - 1)
                )
            if size == 1:  # one row, along the only dimension
                y = np.zeros(1)
            grid = scan(centre, self.dimensions, x, y).reshape(-1, *shape)
            image = decode(decoder, grid, batch)
            tiles = image.reshape(len(y), len(x), *image.shape[1:])
            return {"grid": half(tiles), "x": x.astype("f4"), "y": y.astype("f4")}

        return read

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return (row, column, ...) for the grid."""
        if array in ("x", "y"):
            return ({"x": "column", "y": "row"}[array],)
        return ("row", "column", *sample_axes(ndim - 2))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the two dimensions that are scanned."""
        return {"dimensions": list(self.dimensions)}


def decode(decoder: Any, codes: np.ndarray, batch: Batch) -> np.ndarray:
    """Return the first output for `codes` (samples, ...).

    What else the decoder takes, such as a class, is that of the first sample of the batch.
    """
    given = {"code": codes}
    for name in inputs_of(decoder) or {}:
        if name in batch and name not in given:
            given[name] = np.repeat(batch[name][:1], len(codes), axis=0)
    decoded: np.ndarray = next(iter(as_dict(call(decoder, given), "image").values()))
    return decoded


def scan(
    centre: np.ndarray, dimensions: tuple[int, int], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the codes (rows * columns, latent) of a grid: x along a row, y upwards."""
    codes = np.tile(np.asarray(centre, "float32"), (len(y), len(x), 1))
    if codes.shape[-1] > 1:
        codes[..., dimensions[1]] = y[::-1, None]
    codes[..., min(dimensions[0], codes.shape[-1] - 1)] = x[None, :]
    return codes.reshape(len(y) * len(x), -1)
