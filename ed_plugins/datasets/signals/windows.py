"""Windows of a recorded signal."""

from collections.abc import Sequence

import numpy as np

from ed_plugins.datasets.signals.stretches import Stretch


def windows(signal: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Return the windows (windows, window, channels) of a signal (time, channels), float32 or 64.

    A rest at the end is dropped; a signal shorter than a window is padded with NaN, which marks
    missing numbers.
    """
    short = max(0, window - len(signal))
    filled = signal if signal.dtype == "float64" else signal.astype("float32", copy=False)
    if short:
        filled = np.pad(filled, ((0, short), (0, 0)), constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(filled, window, axis=0)[::hop]
    return np.ascontiguousarray(views.transpose(0, 2, 1))


def whole_windows(stretches: Sequence[Stretch], window: int) -> list[Stretch]:
    """Return the stretches of a file that hold a window; a single shorter one is padded."""
    if len(stretches) == 1:
        return list(stretches)
    return [one for one in stretches if len(one) >= window]


def window_count(stretch: Stretch, window: int, hop: int) -> int:
    """Return how many windows a stretch holds."""
    return max(len(stretch) - window, 0) // hop + 1


def steps_of(begins: np.ndarray, window: int, length: int) -> np.ndarray:
    """Return the steps (windows, window) of windows that begin at some; none beyond the last."""
    return np.minimum(begins[:, None] + np.arange(window), length - 1)
