"""What the mouse reads out of a signal."""

from dataclasses import dataclass

import numpy as np

from ed_viewer.widgets.text import spelled

CHANNELS = 10  # that are drawn, at most


@dataclass(frozen=True, slots=True)
class WaveWords:
    """What signals are called.

    Attributes:
        before, after: the quiet curve and the one in colour.
        one: what all curves of one plot belong to.
        unit: of the values.
    """

    before: str = "input"
    after: str = "output"
    one: str = "sample"
    unit: str = ""

    def describe(
        self, before: np.ndarray | None, after: np.ndarray, at: np.ndarray, change: bool
    ) -> str:
        """Return the values at a moment, of the channel whose curve is nearest to the mouse.

        Moments are numbered as on the axis, from 0.

        Args:
            before: (time,) or (time, channels), or None.
            after: of the same shape.
            at: (2,) moment and value where the mouse is.
            change: whether it is in the plot of the difference.
        """
        time = round(float(at[0]))
        if not 0 <= time < len(after):
            return ""
        rows = {self.after: _channels(after, time)}
        if before is not None:
            rows = {self.before: _channels(before, time), **rows}
        difference = {"difference": rows[self.after] - rows.get(self.before, 0.0)}
        apart = np.abs(np.stack([*(difference if change else rows).values()]) - at[1])
        channel = int(np.where(np.isfinite(apart), apart, np.inf).min(axis=0).argmin())
        said = [f"channel {channel + 1}"] if apart.shape[1] > 1 else []
        told = rows | difference if change else rows
        unknown = before is not None and bool(np.isnan(rows[self.before][channel]))
        for name, row in told.items():
            none = unknown and name != self.after  # else it was made, and is none
            said.append(f"{name} {'–' if none else spelled(row[channel])}{_after(self.unit)}")
        return " · ".join([f"time {time}", *said])


def _after(unit: str) -> str:
    return unit if unit in ("", "°") else f" {unit}"


def _channels(signal: np.ndarray, time: int) -> np.ndarray:
    """Return (channels,) of a moment."""
    return np.asarray(signal[time], np.float64).reshape(-1)[:CHANNELS]
