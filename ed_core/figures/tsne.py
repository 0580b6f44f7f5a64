"""Neighbours that stay neighbours: t-SNE of the data beside t-SNE of the code."""

from matplotlib.figure import Figure

from ed_core.embedding import embedded
from ed_core.figures.material import Material
from ed_core.figures.points import draw_points
from ed_core.figures.style import WIDTH
from ed_core.probes import flat

_SAMPLES = 1500  # of which one map takes 4 s
_HEIGHT = 6.4  # inches


def tsne(materials: list[Material]) -> Figure | None:
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
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, (material, rows, name) in zip(figure.subplots(1, len(planes)), planes, strict=True):
        draw_points(axes, material, embedded(rows[:_SAMPLES]))
        axes.set_title(f"{name}, t-SNE of {rows.shape[1]:,} numbers")
        axes.set(xticks=[], yticks=[])  # the axes of t-SNE mean nothing
        axes.spines[:].set_visible(True)
    return figure
