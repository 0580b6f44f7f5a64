"""Samples of a generator from the same noise, step by step, from the recording."""

import numpy as np
from matplotlib.figure import Figure

from ed_core.figures.material import Material
from ed_core.figures.mosaic import GAP, add_image, figure_of, mosaic, picture, tile_size
from ed_core.figures.style import DPI, TEXT, WIDTH
from ed_core.recording import Recording

_COLUMNS, _ROWS = 10, 7
_SPAN = 60  # the last step over the first that is shown after the start
_AXES = 4  # (samples, height, width, channels)


def samples_over_time(materials: list[Material]) -> Figure | None:
    """Return a row a step, from the first to the last, and a column a draw of the noise.

    Needs a probe of kind `samples`. The steps lie ever farther apart: most happens early.
    """
    with materials[0].run.recording() as recording:
        probe = _probe(recording)
        if probe is None or not len(recording):
            return None
        frames = chosen_frames(recording.steps, _ROWS)
        images = [recording.read(probe, frame)["images"] for frame in frames]
        steps, epochs = recording.steps[frames], recording.epochs[frames]
    shown = np.linspace(0, len(images[0]) - 1, min(_COLUMNS, len(images[0]))).round().astype(int)
    rows = [[picture(batch[column]) for column in shown] for batch in images]
    size = tile_size(rows[0][0], int(WIDTH * DPI / _COLUMNS * 0.8) - GAP)
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
        count: how many are wanted.
    """
    if len(steps) <= count:
        return np.arange(len(steps))
    from_start = steps - steps[0]
    nearest = max(from_start[1], from_start[-1] / _SPAN)
    wanted = np.append(0, np.geomspace(nearest, from_start[-1], count - 1))
    frames = np.searchsorted(from_start, wanted - 0.5)
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
