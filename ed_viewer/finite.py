"""Numbers that are none: how many there are, in words, and a mean without them."""

from collections.abc import Iterable

import numpy as np

from ed_viewer.widgets.text import counted, grouped


def not_finite(arrays: Iterable[np.ndarray]) -> str:
    """Return how many values of some arrays are NaN or infinite, in words; "" for none."""
    floats = [array for array in arrays if array.dtype.kind == "f"]
    count = sum(array.size for array in floats)
    lost = count - sum(int(np.isfinite(array).sum()) for array in floats)
    return f"{grouped(lost)} of {counted(count, 'value')} not finite" if lost else ""


def mean_square(values: np.ndarray) -> float:
    """Return the mean of the squares of all finite values, NaN if there is none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    return float(np.mean(np.square(finite))) if finite.size else float("nan")
