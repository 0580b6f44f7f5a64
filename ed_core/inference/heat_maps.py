"""Heat maps of scores, as PNG of the names and the sizes of the user's pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ed_core.errors import EdkitError
from ed_core.inference.job import OutputJob, Refusal
from ed_core.inference.pictures import PictureWriter, in_picture
from ed_core.inference.stream import Result, Sample
from ed_core.inference.tables import FileWriter
from ed_core.plugins.spec import Field, Fields, FileSamples

_COLOURS = "inferno"
_RED = 0.5  # share of the colours at which the highest value of a normal map stands


@dataclass(frozen=True)
class ScoreWriter:
    """Writer of scores into one file, and of their maps into a folder.

    The colours mean the same in all maps: black is 0, red the most that a normal sample has
    (the 99th percentile of the maxima), pale yellow twice that and more.

    Args:
        table: of the scores.
        samples: of the input.
        shape: of one map, (height, width).
        folder: of the heat maps.
        peak: the highest value of the map of a normal sample.
    """

    table: FileWriter
    samples: FileSamples
    shape: tuple[int, int]
    folder: Path
    peak: float

    def __post_init__(self) -> None:
        _ = self._pictures

    @cached_property
    def _pictures(self) -> PictureWriter:
        return PictureWriter(self.samples, Fields(map=Field((*self.shape, 3), "image")))

    def write(self, job: OutputJob, results: Sequence[Result]) -> tuple[Sample, list[Refusal]]:
        """Write the heat maps of some samples, and return their scores."""
        pictures = [replace(one, outputs={"map": self._coloured(one)}) for one in results]
        self._pictures.write(replace(job, output=self.folder), pictures)
        return self.table.write(job, [replace(one, outputs=_scores(one)) for one in results])

    def finish(self, job: OutputJob) -> None:
        """Put the scores together in one file."""
        self.table.finish(job)

    def _coloured(self, result: Result) -> np.ndarray:
        """Return a heat map (height, width, 3) in 0..1, of the size of its picture."""
        heat = in_picture(result.outputs["map"], self.samples.place(result.row), 0.0)
        return coloured(heat, self.peak)


def coloured(heat: np.ndarray, peak: float) -> np.ndarray:
    """Return maps (...) as colours, (..., 3) in 0..1.

    Args:
        heat: the maps.
        peak: the highest value of the map of a normal sample, which is red.
    """
    from matplotlib import colormaps

    share = np.clip(_RED * heat / max(peak, 1e-12), 0, 1)
    return np.asarray(colormaps[_COLOURS](share)[..., :3], "float32")


def check_folder(folder: Path, going_on: bool) -> None:
    """Raise EdkitError unless heat maps may be written to a folder.

    Args:
        folder: new or empty, unless the job goes on.
        going_on: whether the job was begun before.
    """
    if folder.exists() and not folder.is_dir():
        raise EdkitError(f"--maps {str(folder)!r} is a file: give a folder.")
    if not going_on and folder.exists() and any(folder.iterdir()):
        raise EdkitError(f"--maps {str(folder)!r} is not an empty folder: give another one.")


def _scores(result: Result) -> Sample:
    return {name: array for name, array in result.outputs.items() if name != "map"}
