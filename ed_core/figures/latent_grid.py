"""Decoded grid over a plane of the code."""

from statistics import NormalDist
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from ed_core.figures.decoding import decoder_of
from ed_core.figures.latent_scatter import chosen_axes, principal_axes
from ed_core.figures.material import Material
from ed_core.figures.mosaic import add_image, figure_of, mosaic, tile_size
from ed_core.figures.predictions import class_names
from ed_core.figures.style import TEXT

Spacing = Literal["quantiles", "uniform"]

_STEPS = 20
_EDGE = 3.0  # standard deviations of the prior
_TILE, _GAP = 80, 4  # dots


def latent_grid(materials: list[Material], spacing: Spacing = "quantiles") -> Figure | None:
    """Return the decoded grid, in the dimensions that were asked for.

    Of a variational model it lies at the quantiles of the prior (Kingma & Welling, 2014, figure
    4) or uniformly in -3..3, in the two dimensions that vary most, the others 0. Otherwise it spans
    the codes uniformly from their 5th to their 95th percentile, in the plane of `latent_scatter`.
    A conditional decoder is told the class of the first sample.

    Args:
        materials: the run is the first one.
        spacing: `quantiles`, or `uniform`, which is drawn where there is a prior.
    """
    main = materials[0]
    decoder = decoder_of(main)
    if decoder is None or main.codes is None or main.codes.shape[1] < 2:
        return None
    if spacing == "uniform" and not main.variational:
        return None  # the other one is uniform already
    centre, axes, names = _plane(main, main.codes)
    x, y = _steps(main, (main.codes - centre) @ axes.T, spacing)
    grid = centre + x[None, :, None] * axes[0] + y[::-1, None, None] * axes[1]
    labels = None
    if decoder.label:
        number = main.samples[decoder.label][0]
        labels = np.full(_STEPS**2, number)
        names[0] = f"{names[0]}, class {class_names(main.fields[decoder.label], number + 1)[-1]}"
    images = decoder.pictures(grid.reshape(-1, grid.shape[-1]), labels)
    size = tile_size(images[0], _TILE)
    rows = [images[i : i + _STEPS] for i in range(0, len(images), _STEPS)]
    return _drawn(mosaic(rows, size, _GAP), size, (x, y[::-1]), names)


def _plane(main: Material, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return a point (size,), two directions (2, size) and their names."""
    if main.dimensions is None and not main.variational:
        return principal_axes(codes)
    varied = np.sort(np.argsort(-codes.var(axis=0), kind="stable")[:2])
    chosen = main.dimensions or (int(varied[0]), int(varied[1]))
    centre, axes, names = chosen_axes(codes, chosen)
    size, rest = codes.shape[1], "0" if main.variational else "at their mean"
    if size > 2:
        names[0] = f"{names[0]}, the other dimensions {rest}"
    return (np.zeros(size) if main.variational else centre), axes, names


def _steps(main: Material, places: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    if main.variational and spacing == "uniform":
        return np.linspace(-_EDGE, _EDGE, _STEPS), np.linspace(-_EDGE, _EDGE, _STEPS)
    if main.variational:
        levels = (np.arange(_STEPS) + 0.5) / _STEPS
        normal = np.array([NormalDist().inv_cdf(level) for level in levels])
        return normal, normal
    low, high = np.quantile(places, (0.05, 0.95), axis=0)
    return np.linspace(low[0], high[0], _STEPS), np.linspace(low[1], high[1], _STEPS)


def _drawn(
    page: np.ndarray,
    size: tuple[int, int],
    values: tuple[np.ndarray, np.ndarray],
    names: list[str],
) -> Figure:
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    shown = (0, _STEPS // 4, _STEPS - 1 - _STEPS // 4, _STEPS - 1)
    columns, rows = ([i * (side + _GAP) + side / 2 for i in shown] for side in size[::-1])
    axes.set_axis_on()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=6, labelsize=TEXT)
    axes.set_xticks(columns, [_number(values[0][i]) for i in shown])
    axes.set_yticks(rows, [_number(values[1][i]) for i in shown])
    axes.set_xlabel(names[0], fontsize=TEXT)
    axes.set_ylabel(names[1], fontsize=TEXT)
    return figure


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
