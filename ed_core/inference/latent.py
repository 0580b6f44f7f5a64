"""Latent interpolation between two samples, and decoded grids of a latent plane."""

from collections.abc import Mapping

import numpy as np

from ed_core.data.batches import reference_batch
from ed_core.errors import EdkitError
from ed_core.probes.base import Batch
from ed_core.probes.latent import LatentScan, decode, encoder_of
from ed_core.runs.run import Run


def interpolate(
    run: Run,
    first: Mapping[str, np.ndarray],
    second: Mapping[str, np.ndarray],
    steps: int = 8,
) -> np.ndarray:
    """Return decoded codes on the straight line between two samples, (steps, ...).

    The ends are the reconstructions of the two. What else the decoder takes, such as a class, is
    that of the first.

    Args:
        run: with an encoder and a decoder.
        first: one sample, field to its array without a batch axis, such as `{"image": image}`.
        second: another.
        steps: both ends included.

    Raises:
        EdkitError: the run has no encoder or decoder, a field is missing, or there are fewer than
            two steps.
    """
    if steps < 2:
        raise EdkitError(f"an interpolation has two steps or more, received {steps}.")
    ends = {name: np.stack([first[name], second[name]]) for name in first if name in second}
    start, end = encoder_of(run.model)(ends)
    share = np.linspace(0, 1, steps, dtype="float32").reshape(-1, *[1] * start.ndim)
    return decode(run.decoder, (1 - share) * start + share * end, ends)


def grid(
    run: Run,
    dimensions: tuple[int, int] = (0, 1),
    steps: int = 15,
    *,
    batch: Batch | None = None,
) -> dict[str, np.ndarray]:
    """Return the decoded grid of a plane through any two dimensions of the code.

    The plane is that of the probe `LatentScan`: `grid` (rows, columns, ...), the second dimension
    upwards, with `x` (columns,) and `y` (rows,).

    Args:
        run: with an encoder and a decoder.
        dimensions: of the flattened code, across and upwards.
        steps: rows, and columns.
        batch: samples, field to (samples, ...), whose codes the plane spans where there is no
            prior, and of which the first says what else the decoder takes; by default held-out
            ones.

    Raises:
        EdkitError: the run has no encoder or decoder, or the code has fewer dimensions.
    """
    scan = LatentScan(dimensions=dimensions, steps=steps).bind(run.model)
    return scan(reference_batch(run.data) if batch is None else batch)
