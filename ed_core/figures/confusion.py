"""Which classes a head takes for which."""

from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.predictions import class_names, confusion, heads_of
from ed_core.figures.style import BLUE, FAINT, INK, SMALL, TEXT, VERMILION
from ed_core.spec import Head

_RIGHT = LinearSegmentedColormap.from_list("right", ["white", BLUE])
_WRONG = LinearSegmentedColormap.from_list("wrong", ["white", VERMILION])
_DARK_RIGHT, _DARK_WRONG = 0.6, 0.85  # of a colour map, from which type on it is white
_CELL, _LETTER = 0.62, 0.11  # inches
_ROOMY, _MOST = 12, 20  # classes whose cells have room for type of either size


def confusions(materials: list[Material]) -> dict[str, Figure]:
    """Return the confusion matrix of each head that gives a sample a class.

    A row is a true class, in percent of its samples; what is right is blue, what is wrong red.
    Where the data have a coarser class of each class, the classes stand in its groups.
    """
    main = materials[0]
    figures = {}
    for head in heads_of(main, "class", 0):
        counts = confusion(main.whole, head)
        if counts.sum() and len(counts) <= _MOST:
            figures[head.name] = _drawn(main, head, counts)
    return figures


def groups_of(material: Material, head: Head) -> tuple[np.ndarray, list[str]]:
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
        known = (fine >= 0) & (coarse >= 0)
        pairs = np.unique(np.stack([fine[known], coarse[known]], axis=1), axis=0)
        groups = len(np.unique(pairs[:, 1]))
        if np.array_equal(pairs[:, 0], np.arange(count)) and 1 < groups < count:
            return pairs[:, 1], class_names(field, int(pairs[:, 1].max()) + 1)
    return np.zeros(count, "int64"), []


def _drawn(main: Material, head: Head, counts: np.ndarray) -> Figure:
    group, group_names = groups_of(main.whole, head)
    order = np.argsort(group, kind="stable")
    names = [class_names(main.fields[head.target], len(counts))[n] for n in order]
    counts, group = counts[np.ix_(order, order)], group[order]
    side = float(np.clip(_CELL * len(counts), 3.6, 9.0))
    figure = Figure(figsize=(side + 3.0, side + 1.6))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    totals = counts.sum(axis=1, keepdims=True)
    _cells(axes, np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0))
    upright = max(map(len, names)) * _LETTER < side / len(names)
    slant: dict[str, Any] = (
        {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    )
    axes.set_xticks(range(len(names)), names, **slant)
    axes.set_yticks(range(len(names)), [fill(name, 22) for name in names])
    axes.set_xlabel(f"predicted {head.name}", labelpad=8)
    axes.set_ylabel(f"true {head.name}", labelpad=12)
    axes.set_title(_title(head, counts, group, group_names), pad=14, linespacing=1.4)
    _separate(axes, group, group_names)
    return figure


def _cells(axes: Axes, shares: np.ndarray) -> None:
    """Colour every cell by its share, errors on the scale of a square root, and write percents."""
    right = np.eye(len(shares), dtype=bool)
    strength = np.where(right, shares, np.sqrt(shares))
    axes.imshow(np.where(right[..., None], _RIGHT(shares), _WRONG(strength)))
    size = TEXT if len(shares) <= _ROOMY else SMALL
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
    """Draw thick lines between the groups, and name each group on the right."""
    if not names:
        return
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts[1:], len(group))
    low, high = -0.5, len(group) - 0.5
    for start, end in zip(starts, ends, strict=True):
        for edge in (start - 0.5, end - 0.5):
            for line in (([low, high], [edge, edge]), ([edge, edge], [low, high])):
                axes.plot(*line, color=INK, linewidth=2.6, clip_on=False)
        name = names[group[start]]
        middle = (start + end - 1) / 2
        axes.text(high + 0.3, middle, name, va="center", fontsize=TEXT, fontweight="bold")


def _title(head: Head, counts: np.ndarray, group: np.ndarray, names: list[str]) -> str:
    total = counts.sum()
    right = 100 * np.trace(counts) / total
    text = f"{head.name}: {right:.1f} % of {total:,} right"
    if names:
        same = 100 * counts[group[:, None] == group[None, :]].sum() / total
        text += f", {same:.1f} % in the right group"
    return f"{text}\neach row in percent"
