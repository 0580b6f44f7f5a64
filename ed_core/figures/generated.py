"""Figures of decoded codes: samples, interpolations, latent grids and samples over time."""

from dataclasses import dataclass
from statistics import NormalDist
from textwrap import fill
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from ed_core.errors import EdkitError
from ed_core.evaluation import predict
from ed_core.figures.figure_data import FigureData
from ed_core.figures.latent import chosen_axes, principal_axes
from ed_core.figures.sheets import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import DPI, SMALL, TEXT, WIDTH
from ed_core.inference.latent import interpolate
from ed_core.labels import class_name
from ed_core.nn import decoder
from ed_core.recording import Recording
from ed_core.seeds import Seeds

_SAMPLE_COLUMNS, _SAMPLE_ROWS = 12, 6  # of the sampled images
_SAMPLE_TILE, _SAMPLE_GAP = 140, 6  # dots
_WAY_STEPS, _PAIRS = 9, 5  # columns and rows of the interpolations
_WAY_TILE, _APART = 180, 4 * GAP  # dots; the second is the gap between originals and decoded
Spacing = Literal["quantiles", "uniform"]
_GRID_STEPS = 20  # rows, and columns, of the latent grid
_EDGE = 3.0  # standard deviations of the prior
_GRID_TILE, _GRID_GAP = 80, 4  # dots
_FRAME_COLUMNS, _FRAME_ROWS = 10, 7  # samples and steps of the samples over time
_SPAN = 60  # ratio of the last step to the first one after the start
_AXES = 4  # of recorded images: (samples, height, width, channels)


@dataclass(frozen=True)
class PictureDecoder(decoder.Decoder):
    """Decoder from a code, and a class if it is conditional, to an image."""

    def pictures(self, codes: np.ndarray, labels: np.ndarray | None = None) -> list[np.ndarray]:
        """Return the images of codes (samples, ...), flat or not, as grey or RGB in 0..1.

        Args:
            codes: (samples, ...).
            labels: (samples,) class numbers, for a conditional decoder.
        """
        inputs = self.inputs(codes, 0 if labels is None else labels)
        return [picture(image) for image in predict(self.model, inputs)[self.output]]


def decoder_of(material: FigureData) -> PictureDecoder | None:
    """Return the decoder or generator of a run, or None where none makes images of codes alone.

    Beside the code it may take one class; one that needs more, such as skips, does not count.
    """
    try:
        part = decoder.find_decoder(material.run.model, material.fields)
    except EdkitError:
        return None
    images = {field.shape for field in material.fields.values() if field.kind == "image"}
    if tuple(part.model.output[part.output].shape[1:]) not in images:
        return None
    names = part.classes
    if part.label and not names:  # a class field without names: as many as there are
        count = int(material.samples[part.label].max()) + 1
        names = tuple(str(number) for number in range(count))
    return PictureDecoder(part.model, part.output, part.label, names)


def samples(materials: list[FigureData], seed: int = 0) -> Figure | None:
    """Return images decoded from N(0, 1); of a conditional model a row a class, a column a code.

    Only where codes follow N(0, 1): of a variational model, and of a generator without an encoder.
    """
    main = materials[0]
    decoder = decoder_of(main)
    if decoder is None or not (main.variational or main.encoder is None):
        return None
    random = Seeds(seed).generator("figure")
    if decoder.label:
        codes = random.standard_normal((_SAMPLE_COLUMNS, *decoder.shape))
        rows = [_of_class(decoder, codes, number) for number in range(len(decoder.classes))]
    else:
        codes = random.standard_normal((_SAMPLE_ROWS * _SAMPLE_COLUMNS, *decoder.shape))
        images = decoder.pictures(codes)
        rows = [images[i : i + _SAMPLE_COLUMNS] for i in range(0, len(images), _SAMPLE_COLUMNS)]
    size = tile_size(rows[0][0], _SAMPLE_TILE)
    page = mosaic(rows, size, _SAMPLE_GAP)
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    if decoder.label:
        for number in range(len(decoder.classes)):
            middle = number * (size[0] + _SAMPLE_GAP) + size[0] / 2
            name = fill(decoder.classes[number], 16)
            axes.text(-20, middle, name, ha="right", va="center", fontsize=TEXT)
    code = "z ~ N(0, 1)"
    what = f"the same {_SAMPLE_COLUMNS} codes {code} for each class" if decoder.label else code
    axes.set_title(f"sampled images, {what}", pad=10)
    return figure


def _of_class(decoder: PictureDecoder, codes: np.ndarray, number: int) -> list[np.ndarray]:
    return decoder.pictures(codes, np.full(len(codes), number))


def interpolation(materials: list[FigureData]) -> Figure | None:
    """Return a row a pair: a sample, what is decoded on the line to the other, and the other.

    A conditional decoder is given the class of the first; the pairs are then of one class.
    """
    main = materials[0]
    decoder = decoder_of(main)
    if decoder is None or main.codes is None or main.image is None:
        return None
    field = main.image
    pairs = _pairs(len(main.codes), main.samples[decoder.label] if decoder.label else None)
    if not len(pairs):
        return None
    rows = []
    for pair in pairs:
        ends = [{name: array[row] for name, array in main.samples.items()} for row in pair]
        between = interpolate(main.run, ends[0], ends[1], _WAY_STEPS)
        rows.append([picture(image) for image in (ends[0][field], *between, ends[1][field])])
    size = tile_size(rows[0][0], _WAY_TILE)
    page = mosaic([row[1:-1] for row in rows], size)
    apart = size[1] + _APART
    figure = figure_of(page.shape[1] + 2 * apart, page.shape[0])
    for column, left, name in ((0, 0, "from"), (-1, page.shape[1] + apart + _APART, "to")):
        axes, _ = add_image(figure, mosaic([[row[column]] for row in rows], size), left=left)
        axes.text(size[1] / 2, -15, name, ha="center", va="bottom", fontsize=TEXT)
    axes, _ = add_image(figure, page, left=apart)
    for step, part in enumerate(np.linspace(0, 1, _WAY_STEPS)):
        middle = step * (size[1] + GAP) + size[1] / 2
        text = f"{part:.3g}" if step else "t = 0"
        axes.text(middle, -15, text, ha="center", va="bottom", fontsize=SMALL)
    return figure


def _pairs(samples: int, labels: np.ndarray | None) -> np.ndarray:
    """Return rows (pairs, 2): neighbours of the first samples, or the first two of each class."""
    if labels is None:
        count = min(_PAIRS, samples // 2)
        return np.arange(2 * count).reshape(count, 2)
    rows = [np.flatnonzero(labels == number)[:2] for number in np.unique(labels[labels >= 0])]
    pairs = [pair for pair in rows if len(pair) == 2][:_PAIRS]
    return np.array(pairs, "int64").reshape(-1, 2)


def latent_grid(materials: list[FigureData], spacing: Spacing = "quantiles") -> Figure | None:
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
        labels = np.full(_GRID_STEPS**2, number)
        names[0] = f"{names[0]}, class {class_name(main.fields[decoder.label].classes, number)}"
    images = decoder.pictures(grid.reshape(-1, grid.shape[-1]), labels)
    size = tile_size(images[0], _GRID_TILE)
    rows = [images[i : i + _GRID_STEPS] for i in range(0, len(images), _GRID_STEPS)]
    return _drawn(mosaic(rows, size, _GRID_GAP), size, (x, y[::-1]), names)


def _plane(main: FigureData, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
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


def _steps(main: FigureData, places: np.ndarray, spacing: Spacing) -> tuple[np.ndarray, np.ndarray]:
    if main.variational and spacing == "uniform":
        return np.linspace(-_EDGE, _EDGE, _GRID_STEPS), np.linspace(-_EDGE, _EDGE, _GRID_STEPS)
    if main.variational:
        levels = (np.arange(_GRID_STEPS) + 0.5) / _GRID_STEPS
        normal = np.array([NormalDist().inv_cdf(level) for level in levels])
        return normal, normal
    low, high = np.quantile(places, (0.05, 0.95), axis=0)
    return np.linspace(low[0], high[0], _GRID_STEPS), np.linspace(low[1], high[1], _GRID_STEPS)


def _drawn(
    page: np.ndarray,
    size: tuple[int, int],
    values: tuple[np.ndarray, np.ndarray],
    names: list[str],
) -> Figure:
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    ends = (0, _GRID_STEPS // 4, _GRID_STEPS - 1 - _GRID_STEPS // 4, _GRID_STEPS - 1)
    columns, rows = ([i * (side + _GRID_GAP) + side / 2 for i in ends] for side in size[::-1])
    axes.set_axis_on()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=6, labelsize=TEXT)
    axes.set_xticks(columns, [_number(values[0][i]) for i in ends])
    axes.set_yticks(rows, [_number(values[1][i]) for i in ends])
    axes.set_xlabel(names[0], fontsize=TEXT)
    axes.set_ylabel(names[1], fontsize=TEXT)
    return figure


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def samples_over_time(materials: list[FigureData]) -> Figure | None:
    """Return a row a step, from the first to the last, and a column a draw of the noise.

    Needs a probe of kind `samples`. The steps lie ever farther apart: most happens early.
    """
    with materials[0].run.recording() as recording:
        probe = _probe(recording)
        if probe is None or not len(recording):
            return None
        frames = chosen_frames(recording.steps, _FRAME_ROWS)
        images = [recording.read(probe, frame)["images"] for frame in frames]
        steps, epochs = recording.steps[frames], recording.epochs[frames]
    chosen = (
        np.linspace(0, len(images[0]) - 1, min(_FRAME_COLUMNS, len(images[0]))).round().astype(int)
    )
    rows = [[picture(batch[column]) for column in chosen] for batch in images]
    size = tile_size(rows[0][0], int(WIDTH * DPI / _FRAME_COLUMNS * 0.8) - GAP)
    page = mosaic(rows, size)
    figure = figure_of(page.shape[1], page.shape[0])
    axes, _ = add_image(figure, page)
    for row, (step, epoch) in enumerate(zip(steps, epochs, strict=True)):
        middle = row * (size[0] + GAP) + size[0] / 2
        text = f"step {step:,}\nepoch {float(epoch):.3g}"
        axes.text(-25, middle, text, ha="right", va="center", fontsize=TEXT, linespacing=1.3)
    axes.set_title("the same noise in each column, while the model learns", pad=10)
    return figure


def chosen_frames(steps: np.ndarray, count: int) -> np.ndarray:
    """Return the frames (at most count,) whose steps grow about geometrically, first and last too.

    Args:
        steps: (frames,) in increasing order.
        count: largest number of frames.
    """
    if len(steps) <= count:
        return np.arange(len(steps))
    from_start = steps - steps[0]
    nearest = max(from_start[1], from_start[-1] / _SPAN)
    targets = np.append(0, np.geomspace(nearest, from_start[-1], count - 1))
    frames = np.searchsorted(from_start, targets - 0.5)
    for position in range(1, count):  # each once: the next where two fall together
        frames[position] = max(frames[position], frames[position - 1] + 1)
    room = len(steps) - count + np.arange(count)
    chosen: np.ndarray = np.minimum(frames, room)
    return chosen


def _probe(recording: Recording) -> str | None:
    """Return the name of the probe that recorded samples which are images, or None."""
    for probe in recording.header.probes if recording.header else ():
        images = probe.arrays.get("images")
        if probe.kind == "samples" and images is not None and len(images.shape) == _AXES:
            return probe.name
    return None
