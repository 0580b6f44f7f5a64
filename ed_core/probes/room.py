"""How many samples of a probe a frame of a recording has room for."""

from collections.abc import Mapping

import numpy as np

from ed_core.errors import EdkitError
from ed_core.probes.base import Bound, Probe, first
from ed_core.recording.layout import MAX_BYTES


def bounded(probe: Probe, read: Bound, arrays: Mapping[str, np.ndarray]) -> Bound:
    """Return what reads a probe, of fewer samples where `arrays` of all are more than fit."""
    large = [array for array in _of_samples(probe, arrays) if array.nbytes > MAX_BYTES]
    if not large:
        return read
    fewest = max(1, min(len(array) * MAX_BYTES // array.nbytes for array in large))
    return lambda batch: read(first(batch, fewest))


def check_size(probe: Probe, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise EdkitError where one sample of a probe alone is more than a frame holds."""
    for array in _of_samples(probe, arrays):
        size = array.nbytes // len(array)
        if size > MAX_BYTES:
            raise EdkitError(
                f"a sample of probe {probe.name!r} has {size // 2**20} MiB, a recording holds at "
                f"most {MAX_BYTES // 2**20}: train with smaller images, or with --no-record."
            )


def _of_samples(probe: Probe, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [
        array
        for name, array in arrays.items()
        if len(array) and probe.axes(name, array.ndim)[:1] == ("sample",)
    ]
