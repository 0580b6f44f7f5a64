"""Figures of segmentations: predicted classes beside the truth and over the image."""

from textwrap import fill

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ed_core.confusion import intersection_over_union
from ed_core.figures.figure_data import FigureData
from ed_core.figures.predictions import (
    NO_TRUTH,
    confusion,
    heads_of,
    predicted,
    rivals,
    spread,
    truth,
)
from ed_core.figures.sheets import (
    GAP,
    add_image,
    figure_of,
    input_pictures,
    mosaic,
    resized,
    tile_size,
)
from ed_core.figures.style import DPI, FAINT, SMALL, TEXT, WIDTH
from ed_core.labels import class_names
from ed_core.palette import class_colour
from ed_core.plugins.spec import Field, Head

_HIGH = 6.6  # inches that the images may take
_MOST = 4  # rows
_STRIPE = 10  # dots, of the hatch where there is no truth
_LINE = 96  # characters of a line of the legend

Column = tuple[str, list[np.ndarray]]


def segmentations(materials: list[FigureData]) -> dict[str, Figure]:
    """Return image, truth, prediction and overlay for each head that gives a class to every pixel.

    Of two runs the prediction of both, and no overlay. Pixels without a truth are hatched. The
    IoU of each class and their mean are those of the whole split, over the classes in its
    truth, as `edkit evaluate` has them.
    """
    return {head.name: _drawn(materials, head) for head in heads_of(materials[0], "class", 2)}


def _drawn(materials: list[FigureData], head: Head) -> Figure:
    main = materials[0].whole
    field = main.fields[head.target]
    colours = colours_of(field, main.run.model.output[head.output].shape[-1])
    true = truth(main, head)
    drawn = [(material.whole, own) for material, own in rivals(materials, head, 2)]
    count = len(_inputs(materials, true.shape[1:], spread(main, 1))) + 1 + max(len(drawn), 2)
    size = tile_size(true[0], int(WIDTH * DPI / count) - GAP)
    chosen = spread(main, int(np.clip(_HIGH * DPI // (size[0] + GAP), 1, _MOST)))

    columns: list[Column] = [*_inputs(materials, true.shape[1:], chosen).items()]
    columns.append(("truth", [_hatched(labels, colours, size) for labels in true[chosen]]))
    for material, own in drawn:
        classes = predicted(material, own)[chosen]
        columns.append((material.name or "prediction", [colours[labels] for labels in classes]))
    if len(drawn) == 1:
        images = [_coloured(image) for image in columns[0][1]]
        over = zip(images, columns[-1][1], strict=True)
        columns.append(("overlay", [0.5 * image + 0.5 * labels for image, labels in over]))
    rows = range(len(chosen))
    page = mosaic([[_coloured(images[row]) for _, images in columns] for row in rows], size)
    gaps = bool((true[chosen] < 0).any())
    return _labelled(page, size, [name for name, _ in columns], drawn, gaps)


def _inputs(
    materials: list[FigureData], size: tuple[int, ...], rows: np.ndarray
) -> dict[str, list[np.ndarray]]:
    """Return what one of the runs sees of the samples: the second may see more than the first."""
    pictures: dict[str, list[np.ndarray]] = {}
    for material in materials:
        pictures |= input_pictures(material.whole, size, rows)
    return pictures


def colours_of(field: Field, classes: int) -> np.ndarray:
    """Return the colour of every class (classes, 3) in 0..1: the field's own, or the palette's."""
    return np.array([to_rgb(class_colour(n, field.colours)) for n in range(classes)])


def _hatched(labels: np.ndarray, colours: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return labels (height, width) as colours at their final size, stripes where there is none."""
    labels = resized(labels, size)
    y, x = np.indices(labels.shape)
    stripes = np.where(((x + y) // _STRIPE % 2 == 0)[..., None], to_rgb(FAINT), (1.0, 1.0, 1.0))
    return np.where((labels >= 0)[..., None], colours[np.maximum(labels, 0)], stripes)


def _coloured(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=-1)


def _labelled(
    page: np.ndarray,
    size: tuple[int, int],
    columns: list[str],
    drawn: list[tuple[FigureData, Head]],
    gaps: bool,
) -> Figure:
    """Put the page on a figure with the name of each column, the scores and the legend."""
    matrices = [confusion(material, head) for material, head in drawn]
    scores = [intersection_over_union(matrix) for matrix in matrices]
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    for column, name in enumerate(columns):
        middle = column * (size[1] + GAP) + size[1] / 2
        axes.text(middle, -15, fill(name, 22), ha="center", va="bottom", fontsize=TEXT)
    main, head = drawn[0]
    colours = colours_of(main.fields[head.target], len(matrices[0]))
    right = [f"{100 * np.trace(matrix) / max(matrix.sum(), 1):.1f} %" for matrix in matrices]
    means = [_score(score[np.isfinite(score)], 3) for score in scores]
    text = f"mean IoU {' / '.join(means)}, {' / '.join(right)} of the pixels right"
    text = f"{head.name}: {text if matrices[0].any() else NO_TRUTH}"
    axes.set_title(f"{text}, {len(main.samples[head.target]):,} images", pad=34)
    names = class_names(main.fields[head.target].classes, len(colours))
    handles = [
        Patch(color=colours[n], label=f"{name}  {' / '.join(_score(s[n : n + 1]) for s in scores)}")
        for n, name in enumerate(names)
    ]
    if gaps:
        handles.append(Patch(facecolor="white", edgecolor=FAINT, hatch="////", label="no truth"))
    longest = max(len(str(handle.get_label())) for handle in handles)
    figure.legend(
        handles=handles,
        title="classes and their IoU",
        ncols=max(1, min(len(handles), _LINE // (longest + 5))),
        loc="upper left",
        bbox_to_anchor=(0, -0.1 / figure.get_size_inches()[1]),
        frameon=False,
        fontsize=SMALL,
        title_fontsize=SMALL,
        alignment="left",
        borderaxespad=0,
        borderpad=0,
        handlelength=1.2,
        handleheight=1.2,
    )
    return figure


def _score(values: np.ndarray, digits: int = 2) -> str:
    """Return the mean of some IoU (classes,), a dash where there is none."""
    return "–" if np.isnan(values).all() else f"{values.mean():.{digits}f}"
