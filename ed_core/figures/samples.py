"""Samples of a generative model."""

from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from ed_core.figures.decoding import Decoder, decoder_of
from ed_core.figures.material import Material
from ed_core.figures.mosaic import add_image, figure_of, mosaic, tile_size
from ed_core.figures.style import TEXT
from ed_core.seeds import Seeds

_COLUMNS, _ROWS = 12, 6
_TILE, _GAP = 140, 6  # dots


def samples(materials: list[Material], seed: int = 0) -> Figure | None:
    """Return images decoded from N(0, 1); of a conditional model a row a class, a column a code.

    Only where codes follow N(0, 1): of a variational model, and of a generator without an encoder.
    """
    main = materials[0]
    decoder = decoder_of(main)
    if decoder is None or not (main.variational or main.encoder is None):
        return None
    random = Seeds(seed).generator("figure")
    if decoder.label:
        codes = random.standard_normal((_COLUMNS, *decoder.shape))
        rows = [_of_class(decoder, codes, number) for number in range(len(decoder.classes))]
    else:
        codes = random.standard_normal((_ROWS * _COLUMNS, *decoder.shape))
        images = decoder.pictures(codes)
        rows = [images[i : i + _COLUMNS] for i in range(0, len(images), _COLUMNS)]
    size = tile_size(rows[0][0], _TILE)
    page = mosaic(rows, size, _GAP)
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    if decoder.label:
        for number in range(len(decoder.classes)):
            middle = number * (size[0] + _GAP) + size[0] / 2
            name = fill(decoder.classes[number], 16)
            axes.text(-20, middle, name, ha="right", va="center", fontsize=TEXT)
    code = "z ~ N(0, 1)"
    what = f"the same {_COLUMNS} codes {code} for each class" if decoder.label else code
    axes.set_title(f"sampled images, {what}", pad=10)
    return figure


def _of_class(decoder: Decoder, codes: np.ndarray, number: int) -> list[np.ndarray]:
    return decoder.pictures(codes, np.full(len(codes), number))
