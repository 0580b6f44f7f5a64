"""Numbers that are none: how many there are, in words, and a mean without them. No Qt here."""

from collections.abc import Iterable

import numpy as np


def not_finite(arrays: Iterable[np.ndarray]) -> str:
    """Return which share of some arrays is NaN or infinite, in words; "" where all is finite."""
    floats = [array for array in arrays if array.dtype.kind == "f"]
    count = sum(array.size for array in floats)
    lost = count - sum(int(np.isfinite(array).sum()) for array in floats)
    return f"{max(100 * lost / count, 0.1):.3g} % not finite" if lost else ""


def mean_square(values: np.ndarray) -> float:
    """Return the mean of the squares of all finite values, NaN if there is none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    return float(np.mean(np.square(finite))) if finite.size else float("nan")
