"""Half-hour median: the floor of anomaly scores of signals with a calendar."""

from typing import Any

import numpy as np

SLOTS = 7 * 48  # half hours of a week
_STEP = 256  # samples at a time
_HAIR = 1e-3  # of a half hour, by which sine and cosine in float32 may miss its beginning


def half_hours(calendar: np.ndarray) -> np.ndarray:
    """Return the half hour of the week of each step, 0 to 335.

    Args:
        calendar: (..., 4): sine and cosine of the time of the day, then of the week.
    """
    turn = np.arctan2(calendar[..., 2].astype("float64"), calendar[..., 3]) / (2 * np.pi)
    return np.floor((turn % 1) * SLOTS + _HAIR).astype(int) % SLOTS


def median_scores(train: Any, train_calendar: Any, samples: Any, calendar: Any) -> np.ndarray:
    """Return the mean distance of samples from the median of the same half hour, (samples,).

    Args:
        train: normal windows, (samples, time, channels).
        train_calendar: of them, (samples, time, 4).
        samples: to be scored.
        calendar: of them.
    """
    known, slots = np.asarray(train[:]), half_hours(np.asarray(train_calendar[:])).ravel()
    steps = known.reshape(-1, known.shape[-1])
    medians = np.tile(np.median(steps, axis=0), (SLOTS, 1))
    for slot in np.unique(slots):
        medians[slot] = np.median(steps[slots == slot], axis=0)
    totals = []
    for first in range(0, len(samples), _STEP):
        rows = slice(first, first + _STEP)
        usual = medians[half_hours(np.asarray(calendar[rows]))]
        totals.append(np.abs(np.asarray(samples[rows]) - usual).mean(axis=(1, 2)))
    return np.concatenate(totals)
