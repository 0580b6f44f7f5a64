"""Figures of the codes: scatter plot, principal plane and t-SNE map."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from ed_core.decoding.embedding import embedded
from ed_core.figures.figure_data import FigureData
from ed_core.figures.style import BLUE, FAINT, PLATE, TEXT, WIDTH, dark, marks
from ed_core.palette import class_colour
from ed_core.principal_plane import principal_plane
from ed_core.probes import flat

_HEIGHT = 7.0  # inches, of the scatter plot
_SAMPLES = 1500  # of a t-SNE map, which then takes 4 s
_TSNE_HEIGHT = 6.4  # inches, of the maps


def draw_points(axes: Axes, material: FigureData, points: np.ndarray) -> None:
    """Draw samples where they lie, each class in its own colour and marker, its name at its medoid.

    Args:
        axes: of the plane.
        material: whose first samples they are.
        points: (samples, 2).
    """
    if material.label is None:
        axes.scatter(points[:, 0], points[:, 1], s=16, color=BLUE, alpha=0.6, linewidths=0)
        return
    labels = material.samples[material.label][: len(points)].astype("int64")
    unknown = points[labels < 0]
    axes.scatter(unknown[:, 0], unknown[:, 1], s=12, color=FAINT, linewidths=0)
    numbers = np.unique(labels[labels >= 0])
    for number in numbers:
        x, y = points[labels == number].T
        style = marks(int(number))
        axes.scatter(x, y, s=20, alpha=0.65, linewidths=0, **style)
    for number, (x, y) in zip(numbers, _places(points, labels, numbers), strict=True):
        name = material.class_name(int(number))
        axes.annotate(
            name,
            (x, y),
            color=dark(class_colour(number)),
            fontsize=TEXT if len(name) > 2 else TEXT + 4,
            fontweight="bold",
            ha="center",
            va="center",
            bbox=PLATE,
        )


def _places(points: np.ndarray, labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return where each class is named (classes, 2): at its medoid, moved off the other names.

    The medoid is a sample, so that no name stands between two parts of its class.
    """
    span = np.maximum(np.ptp(points, axis=0), 1e-12)
    places = np.array([_medoid(points[labels == n]) for n in numbers]) / span
    reach = np.array([0.16, 0.05])  # of the plane, that a name takes
    for _ in range(200):
        apart = places[:, None] - places[None]
        overlap = np.clip(1 - np.abs(apart) / reach, 0, None).prod(axis=-1)
        np.fill_diagonal(overlap, 0)
        away = np.where(apart[..., 1] == 0, 1e-3, np.sign(apart[..., 1]))
        places[:, 1] += 0.01 * (overlap * away).sum(axis=1)
    return places * span


def _medoid(points: np.ndarray) -> np.ndarray:
    """Return the one of the points (samples, 2) that is nearest to all others together."""
    nearest: np.ndarray = points[cdist(points, points).sum(axis=1).argmin()]
    return nearest


def latent_scatter(materials: list[FigureData]) -> Figure | None:
    """Return the codes of the samples as points coloured by class, one plane for each run.

    The plane is that of `FigureData.dimensions`, or else of the first two principal components. A
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
    mean, axes, shares = principal_plane(codes)
    if not np.allclose(axes @ axes.T, np.eye(2)):  # of one sample, or of codes on a line
        axes = np.linalg.qr(np.column_stack((axes.T, np.eye(size))))[0][:, :2].T
        axes *= np.where(axes[[0, 1], np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    names = [f"{order} principal component of {size}" for order in ("first", "second")]
    if shares.any():  # one sample, or a dead code, has none
        names = [
            f"{name} ({100 * share:.0f} % of the variance)"
            for name, share in zip(names, shares, strict=True)
        ]
    return mean, axes, names


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


def _plane(axes: Axes, material: FigureData) -> None:
    assert material.codes is not None
    centre, directions, names = principal_axes(material.codes)
    if material.dimensions is not None:
        centre, directions, names = chosen_axes(material.codes, material.dimensions)
    draw_points(axes, material, (material.codes - centre) @ directions.T)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_title(material.name)
    axes.locator_params(nbins=6)


def tsne(materials: list[FigureData]) -> Figure | None:
    """Return the original data beside the code; of two runs the codes of both.

    Codes of two numbers are shown as they are by `latent_scatter`, and need no map; a second run
    that has no others is left out.
    """
    planes = [
        (material, material.codes, material.name or "code")
        for material in materials
        if material.codes is not None and material.codes.shape[1] > 2
    ]
    if not planes or planes[0][0] is not materials[0]:
        return None
    if len(planes) == 1:
        main = materials[0]
        field = next(iter(main.encoder.input))
        planes.insert(0, (main, flat(main.samples[field]), f"original {field}"))
    figure = Figure(figsize=(WIDTH, _TSNE_HEIGHT))
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, (material, rows, name) in zip(figure.subplots(1, len(planes)), planes, strict=True):
        draw_points(axes, material, embedded(rows[:_SAMPLES]))
        axes.set_title(f"{name}, t-SNE of {rows.shape[1]:,} numbers")
        axes.set(xticks=[], yticks=[])  # the axes of t-SNE mean nothing
        axes.spines[:].set_visible(True)
    return figure
