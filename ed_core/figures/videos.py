"""Videos as strips of frames, above what the model makes of them."""

from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.mosaic import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import DPI, SMALL, TEXT, WIDTH

_VIDEOS, _FRAMES = 3, 10
_APART = 50  # dots between two videos


def videos(materials: list[Material]) -> Figure | None:
    """Return a strip of frames for each of three videos, below it one strip for each run."""
    main = materials[0]
    field = main.restored("video", 4)
    if field is None:
        return None
    pairs = [(material, material.restored("video", 4)) for material in materials]
    made = [material.outputs[output] for material, output in pairs if output is not None]
    original = main.samples[field][:_VIDEOS]
    shown = np.linspace(0, original.shape[1] - 1, min(_FRAMES, original.shape[1])).round()
    frames = np.unique(shown.astype(int))
    pages = []
    size = tile_size(original[0, 0], int(WIDTH * DPI / len(frames)) - GAP)
    for sample in range(len(original)):
        strips = [original[sample], *(values[sample] for values in made)]
        pages.append(mosaic([[picture(strip[f]) for f in frames] for strip in strips], size))
    high = pages[0].shape[0]
    figure = figure_of(pages[0].shape[1], len(pages) * (high + _APART) - _APART)
    names = ["original", *(m.name or "reconstruction" for m, output in pairs if output)]
    for sample, page in enumerate(pages):
        axes, _ = add_image(figure, page, (len(pages) - 1 - sample) * (high + _APART))
        for row, name in enumerate(names):
            middle = row * (size[0] + GAP) + size[0] / 2
            axes.text(-25, middle, fill(name, 24), ha="right", va="center", fontsize=TEXT)
        for column, frame in enumerate(frames if sample == 0 else ()):
            middle = column * (size[1] + GAP) + size[1] / 2
            text = f"frame {frame + 1}" if column == 0 else str(frame + 1)
            axes.text(middle, -15, text, ha="center", va="bottom", fontsize=SMALL)
    return figure
