"""Originals above what the model makes of them."""

from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from ed_core.evaluation import predict
from ed_core.figures.material import Material
from ed_core.figures.mosaic import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import DPI, SMALL, TEXT, WIDTH

_COLUMNS = 10


def reconstructions(materials: list[Material]) -> Figure | None:
    """Return a row of originals above one row of reconstructions for each run, with its error.

    A second run that reconstructs nothing has no row.
    """
    main = materials[0]
    if main.image is None:
        return None
    materials = [material for material in materials if material.image is not None]
    few = main.few(_COLUMNS)
    rows = [[picture(image) for image in few[main.image]]]
    for material in materials:
        outputs = predict(material.run.model, few)[material.image or ""]
        rows.append([picture(image) for image in outputs])
    size = tile_size(rows[0][0], int(WIDTH * DPI / _COLUMNS) - GAP)
    page = mosaic(rows, size)
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    names = ["original", *map(_name, materials)]
    for i, name in enumerate(names):
        middle = i * (size[0] + GAP) + size[0] / 2
        axes.text(-25, middle, name, ha="right", va="center", fontsize=TEXT, linespacing=1.4)
    if main.label is not None:
        for j, number in enumerate(few[main.label]):
            middle = j * (size[1] + GAP) + size[1] / 2
            name = fill(main.class_name(int(number)), 12)
            axes.text(middle, -15, name, ha="center", va="bottom", fontsize=SMALL)
    return figure


def _name(material: Material) -> str:
    """Return what a run's row is called, with the error of all pixels of the split."""
    whole = material.whole
    field = material.image or ""
    error = np.mean(np.square(whole.outputs[field] - whole.samples[field]), dtype="float64")
    return f"{fill(material.name or 'reconstruction', 24)}\nMSE {error:.3g}"
