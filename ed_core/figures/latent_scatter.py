"""Scatter plot of the codes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.points import draw_points
from ed_core.figures.style import WIDTH

_HEIGHT = 7.0  # inches


def latent_scatter(materials: list[Material]) -> Figure | None:
    """Return the codes of the samples as points coloured by class, one plane for each run.

    The plane is that of `Material.dimensions`, or else of the first two principal components. A
    second run without such a code has none.
    """
    main = materials[0]
    materials = [m for m in materials if m.codes is not None and m.codes.shape[1] > 1]
    if not materials or materials[0] is not main:
        return None
    figure = Figure(figsize=(WIDTH if len(materials) > 1 else _HEIGHT * 1.15, _HEIGHT))
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, material in zip(np.ravel(figure.subplots(1, len(materials))), materials, strict=True):
        _plane(axes, material)
    return figure


def principal_axes(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the plane in which codes (samples, size) are shown.

    Returns:
        A point (size,), two directions (2, size) and their names: of a code of two numbers these
        numbers, of a longer one its first two principal components.
    """
    size = codes.shape[1]
    if size == 2:
        return np.zeros(2), np.eye(2), ["$z_1$", "$z_2$"]
    codes = codes.astype("float64")
    mean = codes.mean(axis=0)
    centred = np.pad(codes - mean, ((0, max(2 - len(codes), 0)), (0, 0)))  # a plane needs two rows
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    names = [f"{order} principal component of {size}" for order in ("first", "second")]
    variance = float(np.sum(strength**2))
    if variance > 1e-12:  # one sample, or a dead code, has none
        shares = 100 * strength[:2] ** 2 / variance
        names = [
            f"{name} ({share:.0f} % of the variance)"
            for name, share in zip(names, shares, strict=True)
        ]
    return mean, axes[:2], names


def chosen_axes(
    codes: np.ndarray, dimensions: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the plane of two dimensions, through the mean code, as `principal_axes` does."""
    centre = codes.mean(axis=0)
    centre[list(dimensions)] = 0
    return (
        centre,
        np.eye(codes.shape[1])[list(dimensions)],
        [f"$z_{{{d + 1}}}$" for d in dimensions],
    )


def _plane(axes: Axes, material: Material) -> None:
    assert material.codes is not None
    centre, directions, names = principal_axes(material.codes)
    if material.dimensions is not None:
        centre, directions, names = chosen_axes(material.codes, material.dimensions)
    draw_points(axes, material, (material.codes - centre) @ directions.T)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(material.name)
    axes.locator_params(nbins=6)
