"""Sheets of images in rows and columns, exact to the pixel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ed_core.figures.figure_data import FigureData
from ed_core.figures.style import DPI, FAINT

GAP = 10  # dots between two images
SCALE = "cividis"  # of heights and other values: read alike by the colour-blind


def tile_size(image: np.ndarray, dots: int) -> tuple[int, int]:
    """Return the (height, width) in dots nearest to `dots` wide of which no pixel is uneven.

    An image larger than that is shown at its own size or, if that is far more, reduced.
    """
    height, width = image.shape[:2]
    factor = max(1, round(dots / width))
    if width > 1.5 * dots:
        return round(dots * height / width), dots
    return factor * height, factor * width


def mosaic(
    rows: Sequence[Sequence[np.ndarray]], size: tuple[int, int], gap: int = GAP
) -> np.ndarray:
    """Return rows of images (height, width) or (height, width, 3) as one, at `size` dots each.

    What lies between them is NaN, which is drawn as nothing; of colours, white.
    """
    high, wide = size
    first = rows[0][0]
    shape = (len(rows) * (high + gap) - gap, max(map(len, rows)) * (wide + gap) - gap)
    page = np.full(shape + first.shape[2:], 1.0 if first.ndim == 3 else np.nan, "float32")
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (high + gap), j * (wide + gap)
            page[top : top + high, left : left + wide] = resized(image, size)
    return page


def picture(image: np.ndarray) -> np.ndarray:
    """Return an image (height, width, channels) as what can be shown: grey or RGB, in 0..1."""
    image = np.clip(image.astype("float32"), 0, 1)
    return image if image.shape[-1] == 3 else image.mean(axis=-1)


def add_image(
    figure: Figure, page: np.ndarray, bottom: float = 0.0, left: float = 0.0, **scale: Any
) -> tuple[Axes, Any]:
    """Show a mosaic at its own size, so many dots off the figure's lower and left edge.

    Returns:
        The axes and the image. Type is put outside; saving makes room for it.
    """
    wide, high = figure.get_size_inches() * DPI
    place = (left / wide, bottom / high, page.shape[1] / wide, page.shape[0] / high)
    axes = figure.add_axes(place)
    axes.set_axis_off()
    scale = scale or {"cmap": "gray", "vmin": 0, "vmax": 1}
    return axes, axes.imshow(page, interpolation="nearest", aspect="auto", **scale)


def figure_of(width: int, height: int) -> Figure:
    """Return an empty figure of so many dots."""
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image (height, width, ...) at `size` dots, each the pixel that it lies in."""
    rows = np.arange(size[0]) * image.shape[0] // size[0]
    columns = np.arange(size[1]) * image.shape[1] // size[1]
    return image[rows][:, columns]


def input_pictures(
    material: FigureData, size: tuple[int, ...], rows: np.ndarray
) -> dict[str, list[np.ndarray]]:
    """Return some samples of each input of the given (height, width), images before values.

    Args:
        material: the run.
        size: (height, width).
        rows: which samples.

    Returns:
        Field to pictures (height, width) or (height, width, 3), in 0..1.
    """
    images, values = {}, {}
    for name in material.run.model.input:
        field = material.fields.get(name)
        if field is None or field.shape[:2] != size or len(field.shape) > 3:
            continue
        few = material.samples[name][rows]
        if field.kind == "image":
            images[name] = [picture(image) for image in few]
        elif field.kind == "value" and field.shape[2:] in ((), (1,)):
            few = few.reshape(len(few), *size)
            values[name] = coloured(few, float(np.nanmin(few)), float(np.nanmax(few)))
    return images | values


def coloured(maps: np.ndarray, low: float, high: float) -> list[np.ndarray]:
    """Return maps of values (samples, height, width) as pictures (height, width, 3); NaN is grey.

    Args:
        maps: of values.
        low: the value at the dark end of the scale.
        high: the value at the bright end.
    """
    scaled = (maps - low) / max(high - low, 1e-12)
    return list(colormaps[SCALE].with_extremes(bad=FAINT)(scaled)[..., :3])
