"""Small charts as tiles: rows of a table as bars, signals as lines."""

import numpy as np

from ed_core.palette import rgb
from ed_viewer.style.palette import Palette, class_colour
from ed_viewer.style.pixels import Levels

_WIDE, _HIGH = 28, (20, 96)  # pixels of a tile: at least across; least and most upwards
_BARS = 24  # from so many on they touch one another
_CHANNELS = 10  # that are drawn, at most


def chart_levels(values: Levels) -> Levels:
    """Return levels that have 0 among them, from which bars grow."""
    return min(values[0], 0.0), max(values[1], 0.0)


def bar_pixels(
    rows: np.ndarray, levels: Levels, palette: Palette, signed: bool = False
) -> np.ndarray:
    """Return (n, height, width, 4) uint8: a bar from zero for each column; none where it is NaN.

    Args:
        rows: (n, columns).
        levels: the values at the lower and the upper edge; zero is among them.
        palette: of the theme.
        signed: whether bars below zero have the colour of negative differences.
    """
    count, columns = rows.shape
    gap = int(columns < _BARS)
    thick = max(_WIDE // columns - gap, 1 + gap)
    spread = np.full((count, columns, thick + gap), np.nan)
    spread[..., :thick] = rows[..., None]
    ends = spread.reshape(count, -1)
    height = int(np.clip(round(0.75 * ends.shape[1]), *_HIGH))
    canvas = _canvas((count, height, ends.shape[1]), palette)
    zero = _lines(np.zeros((1, 1)), levels, height)
    _fill(canvas, zero, zero, palette.line)
    above, below = (palette.above, palette.below) if signed else (class_colour(palette, 0),) * 2
    here = _lines(ends, levels, height)
    _fill(canvas, np.where(ends > 0, here, np.nan), zero, above)
    _fill(canvas, zero, np.where(ends < 0, here, np.nan), below)
    return canvas


def line_pixels(signals: np.ndarray, levels: Levels, palette: Palette) -> np.ndarray:
    """Return (n, height, width, 4) uint8: a line for each channel, with gaps where it is NaN.

    Args:
        signals: (n, time) or (n, time, channels).
        levels: the values at the lower and the upper edge.
        palette: of the theme.
    """
    curves = signals.reshape(*signals.shape[:2], -1)[..., :_CHANNELS]
    curves = curves.repeat(max(-(-_WIDE // curves.shape[1]), 1), axis=1)
    height = int(np.clip(round(0.75 * curves.shape[1]), *_HIGH))
    canvas = _canvas((len(curves), height, curves.shape[1]), palette)
    for channel in range(curves.shape[2]):
        here = _lines(curves[..., channel], levels, height)
        after = np.append(here[:, 1:], here[:, -1:], axis=1)
        after = np.where(np.isfinite(after), after, here)
        _fill(
            canvas,
            np.minimum(here, after),
            np.maximum(here, after),
            class_colour(palette, channel),
        )
    return canvas


def _lines(values: np.ndarray, levels: Levels, height: int) -> np.ndarray:
    """Return the lines of pixels at which values stand, 0 at the top; NaN where there is none."""
    low, high = levels
    share = (high - np.asarray(values, np.float64)) / ((high - low) or 1.0)
    return np.round(np.clip(share, 0, 1) * (height - 1))


def _canvas(shape: tuple[int, int, int], palette: Palette) -> np.ndarray:
    return np.full((*shape, 4), _bgr(palette.window), np.uint8)


def _fill(canvas: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> None:
    """Colour the pixels of each column (n, columns) between two lines; none where one is NaN."""
    lines = np.arange(canvas.shape[1])[None, :, None]
    inside = (lines >= low[:, None]) & (lines <= high[:, None])
    canvas[np.broadcast_to(inside, canvas.shape[:3])] = _bgr(colour)


def _bgr(colour: str) -> tuple[int, ...]:
    return (*rgb(colour)[::-1], 255)
