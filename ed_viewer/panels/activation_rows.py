"""Activations as rows of tiles, and in words."""

import numpy as np

from ed_viewer.imaging import as_images, finite_range, image_levels, pixels, squares
from ed_viewer.palette import grey_table
from ed_viewer.ranges import Levels, Scale
from ed_viewer.source import Source
from ed_viewer.widgets.text import counted, grouped
from ed_viewer.widgets.tile_set import TileRow

_UNITS = 12  # of a dense layer: with more, a sample is drawn as a square


def shape_of(values: np.ndarray, whole: int | None, most: object) -> str:
    """Return the shape of a layer in words.

    Args:
        values: what is recorded of it, (samples, ..., channels).
        whole: how many channels it has, None where the recording does not say.
        most: how many of a layer are recorded.
    """
    *area, last = values.shape[1:]
    shape = " × ".join(str(n) for n in area)
    said = counted(last, _noun(values))
    if whole is not None and whole > last:
        said = f"first {grouped(last)} of {counted(whole, _noun(values))}"
    elif whole is None and last == most:
        said = f"first {said}, more are not recorded"
    return f"{shape}, {said}" if area else said


def silence(values: np.ndarray, marked: bool) -> str:
    """Return how many channels of (samples, ..., channels) are 0 everywhere, "" for none."""
    silent, (samples, *_, last) = int(dead(values).sum()), values.shape
    if not silent:
        return ""
    on = f"on these {grouped(samples)} samples" if samples > 1 else "on this sample"
    said = f"{grouped(silent)} of {counted(last, _noun(values))} silent {on}"
    return f"{said} (dashed)" if marked else said


def _noun(values: np.ndarray) -> str:
    return "channel" if values.ndim > 2 else "unit"


def input_row(source: Source, samples: int) -> tuple[TileRow, ...]:
    """Return the row of inputs, () where they are not images."""
    field = str(source.probe.options.get("field") or "")
    inputs = source.reference.get(field)
    if inputs is None or inputs.ndim < 3 or len(inputs) < samples:
        return ()
    images = as_images(inputs[:samples])
    return (TileRow(pixels(images, image_levels(images), grey_table()), "input", images),)


def joined(levels: Levels, values: np.ndarray) -> Levels:
    """Return levels that hold these values as well."""
    low, high = finite_range(values)
    return min(levels[0], low), max(levels[1], high)


def dead(values: np.ndarray) -> np.ndarray:
    """Return which channels (channels,) of (samples, ..., channels) are 0 everywhere.

    One that is not finite is not dead.
    """
    return np.abs(values).reshape(-1, values.shape[-1]).max(axis=0) == 0


def named(label: str) -> str:
    """Return the name of a row for a line of its own."""
    return f"channel {label}" if label.isdigit() else label


def channel_rows(values: np.ndarray, scale: Scale, mark: bool) -> tuple[TileRow, ...]:
    """Return a row a channel of (samples, ..., channels); many units as one row of squares.

    Channels that are 0 everywhere are marked as dead, or not.
    """
    if values.ndim == 2 and values.shape[1] > _UNITS:
        images = squares(values)[..., None]
        return (TileRow(pixels(images, *scale), "units", images, units=values.shape[1]),)
    flat = values.ndim != 4
    silent = dead(values) & mark
    if values.ndim == 3:  # (samples, time, channels): each channel a strip
        values = values[:, None]
    elif values.ndim != 4:
        values = values.reshape(len(values), 1, 1, -1)
    rows = []
    for channel in range(values.shape[-1]):
        images = np.ascontiguousarray(values[..., channel : channel + 1])
        marked = frozenset(range(len(images)) if silent[channel] else ())
        aspect = 4.0 if flat else None
        rows.append(TileRow(pixels(images, *scale), str(channel + 1), images, aspect, marked))
    return tuple(rows)
