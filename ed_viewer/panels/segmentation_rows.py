"""The rows of pictures of a segmentation, of one run and of the difference of two."""

from dataclasses import dataclass

import numpy as np

from ed_viewer.imaging import (
    as_images,
    class_pixels,
    finite_range,
    image_levels,
    overlaid,
    pixels,
)
from ed_viewer.palette import class_table, grey_table, value_table
from ed_viewer.source import Source
from ed_viewer.widgets.tile_set import TileRow

_CHANGES = ("only B right", "both right or both wrong", "only A right")


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The classes of a field: their names and colours, and the truth of every pixel.

    Attributes:
        names, colours: one a class.
        truth: (samples, height, width), -1 where there is none; None where nothing is known.
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    truth: np.ndarray | None


def rows_of(
    source: Source, known: Classes, found: np.ndarray, opacity: float
) -> tuple[TileRow, ...]:
    """Return the inputs, the truth, the prediction, and it over the first input.

    Args:
        source: of the panel.
        known: the classes.
        found: (samples, height, width) predicted class numbers.
        opacity: of the prediction over the input, 0..1.
    """
    rows = _inputs(source, known, found)
    made = _class_row(source, known, found, "prediction")
    rows.append(made)
    if rows[0].label not in ("truth", "prediction"):
        over = overlaid(rows[0].pixels, made.pixels, opacity)
        rows.append(TileRow(over, "overlay", made.values, names=known.names))
    return tuple(rows)


def rows_of_change(
    source: Source, known: Classes, ours: np.ndarray, theirs: np.ndarray, opacity: float
) -> tuple[TileRow, ...]:
    """Return the inputs, the truth, and how many errors B has more than A: -1, 0 or 1 a pixel.

    Without a truth, what B says where it is not what A says.

    Args:
        source: of the panel.
        known: the classes.
        ours: (samples, height, width) class numbers of run A.
        theirs: those of run B.
        opacity: of the change over the input, 0..1.
    """
    rows = _inputs(source, known, theirs)
    if known.truth is None:
        other = np.where(ours == theirs, -1, theirs)
        return (*rows, _class_row(source, known, other, "B where it differs"))
    more = (theirs != known.truth).astype(np.int64) - (ours != known.truth)
    change = np.where(known.truth >= 0, more + 1, -1)
    palette = source.theme.palette
    table = class_table((palette.below, palette.zero, palette.above))
    made = class_pixels(change, table, _stripes(source))
    rows.append(TileRow(made, "errors", change[..., None], names=_CHANGES))
    if rows[0].label != "truth":
        shown = np.where((more != 0)[..., None], made, rows[0].pixels)
        over = overlaid(rows[0].pixels, shown, opacity)
        rows.append(TileRow(over, "overlay", change[..., None], names=_CHANGES))
    return tuple(rows)


def _inputs(source: Source, known: Classes, found: np.ndarray) -> list[TileRow]:
    rows = [_picture(name, array) for name, array in source.pictures(found.shape).items()]
    if known.truth is not None:
        rows.append(_class_row(source, known, known.truth, "truth"))
    return rows


def _class_row(source: Source, known: Classes, labels: np.ndarray, name: str) -> TileRow:
    made = class_pixels(labels, class_table(known.colours), _stripes(source))
    return TileRow(made, name, labels[..., None], names=known.names)


def _stripes(source: Source) -> np.ndarray:
    return class_table((source.theme.palette.line, source.theme.palette.card))


def _picture(name: str, array: np.ndarray) -> TileRow:
    """Return a row of an input: an image, or a value such as the elevation, of all one scale."""
    images = as_images(array)
    if array.ndim == 4 and array.shape[-1] == 3:
        return TileRow(pixels(images, image_levels(images), grey_table()), name, images)
    table = grey_table() if name == "image" else value_table()
    levels = image_levels(images) if name == "image" else finite_range(array)
    return TileRow(pixels(images, levels, table), name, images)
