"""Confusion matrix figures of the heads that predict classes."""

from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ed_core.confusion import nested_groups
from ed_core.figures.figure_data import FigureData
from ed_core.figures.predictions import confusion, heads_of, rivals, truth
from ed_core.figures.style import BLUE, FAINT, INK, SMALL, TEXT, VERMILION
from ed_core.labels import class_names
from ed_core.plugins.spec import Head

_RIGHT = LinearSegmentedColormap.from_list("right", ["white", BLUE])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["white", VERMILION])
_DARK_RIGHT, _DARK_WRONG = 0.6, 0.85  # of a colour map, from which type on it is white
_CELL, _LETTER = 0.62, 0.11  # inches
_SIDES = (3.6, 9.0)  # of one matrix, inches
_SLIDE = 5.4  # of each of two
_ROOMY, _MOST = 0.5, 20  # inches of a cell that has room for larger type; classes that have room


def confusions(materials: list[FigureData]) -> dict[str, Figure]:
    """Return the confusion matrix of each head that gives a sample a class; of two runs both.

    A row is a true class, in percent of its samples; what is right is blue, what is wrong red.
    Where the data have a coarser class of each class, the classes stand in its groups.
    """
    figures = {}
    for head in heads_of(materials[0], "class", 0):
        drawn = [
            (material, own, confusion(material.whole, own))
            for material, own in rivals(materials, head, 0)
        ]
        counts = drawn[0][2]
        if counts.sum() and len(counts) <= _MOST:
            figures[head.name] = _drawn(drawn)
    return figures


def groups_of(material: FigureData, head: Head) -> tuple[np.ndarray, list[str]]:
    """Return the group of each class of a head, and the names of the groups.

    A field groups the classes if all samples of a class have one value in it, and it has fewer
    classes. Where there is none, all classes are of one group without a name.
    """
    fine = material.samples[head.target].ravel().astype("int64")
    count = material.run.model.output[head.output].shape[-1]
    for name, field in material.fields.items():
        if name == head.target or field.kind != "class" or field.shape != ():
            continue
        coarse = material.samples[name].astype("int64")
        group = nested_groups(fine, coarse, count)
        if group is not None:
            return group, list(class_names(field.classes, int(group.max()) + 1))
    return np.zeros(count, "int64"), []


def _drawn(drawn: list[tuple[FigureData, Head, np.ndarray]]) -> Figure:
    main, head, first = drawn[0]
    group, group_names = groups_of(main.whole, head)
    order = np.argsort(group, kind="stable")
    names = [class_names(main.fields[head.target].classes, len(first))[n] for n in order]
    side = float(np.clip(_CELL * len(names), *_SIDES))
    if len(drawn) > 1:
        side = min(side, _SLIDE)
    figure = Figure(figsize=((side + 1.2) * len(drawn) + 1.8, side + 1.6))
    figure.set_layout_engine("constrained", wspace=0.04)
    all_axes = np.ravel(figure.subplots(1, len(drawn), sharey=True))
    for axes, (material, own, counts) in zip(all_axes, drawn, strict=True):
        counts = counts[np.ix_(order, order)]
        _matrix(axes, counts, names, side / len(names))
        axes.set_xlabel(f"predicted {own.name}", labelpad=8)
        title = _title(material.name or own.name, counts, group[order], group_names)
        missing = int((truth(material.whole, own) < 0).sum())
        title += f", {missing:,} without label left out" if missing else ""
        axes.set_title(title, pad=14, linespacing=1.4)
        _separate(axes, group[order], group_names if axes is all_axes[-1] else [])
    all_axes[0].set_ylabel(f"true {head.name}", labelpad=12)
    return figure


def _matrix(axes: Axes, counts: np.ndarray, names: list[str], cell: float) -> None:
    """Draw one matrix with the names of its classes; a cell is so many inches wide."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    _cells(axes, shares, TEXT if cell > _ROOMY else SMALL)
    upright = max(map(len, names)) * _LETTER < cell
    slant: dict[str, Any] = (
        {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    )
    axes.set_xticks(range(len(names)), names, **slant)
    axes.set_yticks(range(len(names)), [fill(name, 22) for name in names])


def _cells(axes: Axes, shares: np.ndarray, size: int) -> None:
    """Colour every cell by its share, errors on the scale of a square root, and write percents."""
    right = np.eye(len(shares), dtype=bool)
    strength = np.where(right, shares, np.sqrt(shares))
    axes.imshow(np.where(right[..., None], _RIGHT(shares), _WRONG(strength)))
    for (row, column), share in np.ndenumerate(shares):
        percent = f"{100 * share:.0f}"
        if percent != "0":
            dark = _DARK_RIGHT if row == column else _DARK_WRONG
            ink = "white" if strength[row, column] > dark else INK
            weight = "bold" if row == column else "normal"
            cell = axes.text(column, row, percent, ha="center", va="center", fontweight=weight)
            cell.set(fontsize=size, color=ink)
    edges = np.arange(len(shares) + 1) - 0.5
    axes.vlines(edges, edges[0], edges[-1], color=FAINT, linewidth=0.8)
    axes.hlines(edges, edges[0], edges[-1], color=FAINT, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _separate(axes: Axes, group: np.ndarray, names: list[str]) -> None:
    """Draw thick lines between the groups, and name each on the right where there are names."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts[1:], len(group))
    low, high = -0.5, len(group) - 0.5
    for start, end in zip(starts, ends, strict=True):
        for edge in (start - 0.5, end - 0.5):
            if len(starts) > 1:
                axes.hlines(edge, low, high, color=INK, linewidth=2.6, clip_on=False)
                axes.vlines(edge, low, high, color=INK, linewidth=2.6, clip_on=False)
        if names:
            name, middle = names[group[start]], (start + end - 1) / 2
            axes.text(high + 0.3, middle, name, va="center", fontsize=TEXT, fontweight="bold")


def _title(name: str, counts: np.ndarray, group: np.ndarray, names: list[str]) -> str:
    total = counts.sum()
    right = 100 * np.trace(counts) / total
    text = f"{name}: {right:.1f} % of {total:,} right"
    if names:
        same = 100 * counts[group[:, None] == group[None, :]].sum() / total
        text += f"\n{same:.1f} % in the right group, each row in percent"
        return text
    return f"{text}\neach row in percent"
