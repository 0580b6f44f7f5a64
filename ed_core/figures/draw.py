"""Drawing of all figures of a run, as PNG, SVG or PDF."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from ed_core.errors import EdkitError, unknown
from ed_core.figures.activations import FIGURES as _LAYERS
from ed_core.figures.activations import activations
from ed_core.figures.confusion import confusions
from ed_core.figures.curves import curves
from ed_core.figures.figure_data import FigureData, material
from ed_core.figures.generated import interpolation, latent_grid, samples, samples_over_time
from ed_core.figures.latent import latent_scatter, tsne
from ed_core.figures.predictions import maps, regressions
from ed_core.figures.reconstructions import reconstructions, signals, videos
from ed_core.figures.segmentation import segmentations
from ed_core.figures.style import INK, SMALL, STYLE
from ed_core.recording.folder import written_whole
from ed_core.runs.run import Run, open_run

FORMATS = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Each format with the metadata that would make the same figure another file."""

Drawn = Figure | Mapping[str, Figure] | None
Draw = Callable[[list[FigureData]], Drawn]

FIGURES: tuple[tuple[str, Draw], ...] = (
    ("reconstructions", reconstructions),
    ("signals", signals),
    ("videos", videos),
    *((f"activations_{n + 1}", partial(activations, number=n)) for n in range(_LAYERS)),
    ("curves", curves),
    ("latent_scatter", latent_scatter),
    ("tsne", tsne),
    ("latent_grid", latent_grid),
    ("latent_grid_uniform", partial(latent_grid, spacing="uniform")),
    ("interpolation", interpolation),
    ("samples", samples),
    ("samples_over_time", samples_over_time),
    ("confusion", confusions),
    ("regression", regressions),
    ("segmentation", segmentations),
    ("map", maps),
)
"""Every figure; a function returns None, or an empty mapping, where its figure does not suit the
run, and a mapping where there is one a head: the head's name then follows the figure's."""


def draw_figures(
    run: Run | str | Path,
    out: str | Path | None = None,
    *,
    formats: Sequence[str] = ("png",),
    other: Run | str | Path | None = None,
    dimensions: tuple[int, int] | None = None,
    split: str | None = None,
) -> list[Path]:
    """Draw what suits a run, from its model, its data and its recording.

    Args:
        run: a run, or its folder.
        out: the folder to write into, made where there is none; by default `figures` in the run's.
        formats: of `png` (200 dots an inch), `svg` and `pdf` (text stays text).
        other: a second run that is shown beside the first where a figure can, on the same samples.
        dimensions: two dimensions of the code, from 0, through which its plane goes; by default
            those that say most.
        split: of the run's data, whose samples are drawn; by default `validation`. A figure of any
            other split says so.

    Returns:
        The files, each written whole.

    Raises:
        EdkitError: a format or the split is unknown, the folder cannot be written, the code has not
            got these dimensions, or the runs do not go together.
    """
    for name in formats:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS)
    run = run if isinstance(run, Run) else open_run(run)
    second = other if isinstance(other, Run) or other is None else open_run(other)
    folder = Path(out) if out is not None else run.path / "figures"
    figure_data = material(run, second, dimensions, split)
    with rc_context(STYLE):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return [
                path
                for name, draw in FIGURES
                for stem, figure in _named(name, draw(figure_data))
                for path in _write(
                    figure,
                    folder / stem,
                    formats,
                    "" if name in _WITHOUT_SAMPLES else _note(figure_data[0].shown),
                )
            ]
        except OSError as error:
            raise EdkitError(
                f"cannot write figures into {str(folder)!r}: {error.strerror}. "
                "Choose a folder that can be written with --out."
            ) from error


_GAP = 0.1  # inches above the note
_WITHOUT_SAMPLES = {"curves", "samples", "samples_over_time", "latent_grid", "latent_grid_uniform"}


def _named(name: str, drawn: Drawn) -> Iterator[tuple[str, Figure]]:
    """Yield each figure with the name of its file; heads may have any name."""
    if isinstance(drawn, Figure):
        yield name, drawn
    elif drawn is not None:
        for head, figure in drawn.items():
            suffix = re.sub(r"[^\w-]+", "_", head)
            yield f"{name}_{suffix}", figure


def _note(split: str) -> str:
    """Return what a figure says of the split that it is drawn from: of validation, nothing."""
    return f"drawn on the {split} split" if split not in ("", "validation") else ""


def _write(figure: Figure, stem: Path, formats: Sequence[str], note: str) -> list[Path]:
    """Save a figure in each format; its layout is settled first, since every drawing refines it."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    if note:  # below all that is drawn; the file is cut to that (`STYLE`)
        used, height = figure.get_tightbbox(), figure.get_size_inches()[1]
        place = (used.y0 - _GAP) / height
        figure.text(1, place, note, ha="right", va="top", size=SMALL, color=INK)
    paths = [stem.with_name(f"{stem.name}.{name}") for name in formats]
    for name, path in zip(formats, paths, strict=True):
        with written_whole(path) as part:
            figure.savefig(part, format=name, metadata=FORMATS[name])
    return paths
