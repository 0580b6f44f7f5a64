"""Verbs: what a run makes of files, written to files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import keras

from ed_core.errors import EdkitError
from ed_core.inference.heat_maps import ScoreWriter, check_folder
from ed_core.inference.inputs import (
    NewCodes,
    input_digest,
    open_codes,
    open_files,
    open_pictures,
)
from ed_core.inference.job import hidden_folder
from ed_core.inference.pictures import PictureWriter, Style, in_picture
from ed_core.inference.sheet import SheetWriter
from ed_core.inference.stream import Result, Sample, Stream, Writer
from ed_core.inference.tables import FileWriter
from ed_core.nn.submodels import weights_sum
from ed_core.plugins.spec import Fields, FileSamples
from ed_core.runs import outputs, prior
from ed_core.runs.detector import scoring
from ed_core.runs.run import Run
from ed_core.runs.tiled import Tile

Verb = Literal["encode", "decode", "reconstruct", "predict", "segment", "score", "generate"]
FILES = (".csv", ".parquet", ".npz", ".h5", ".hdf5")
"""The endings of an output that is one file; without an ending it is a folder."""
SHEET = ".png"
"""The ending of one sheet of new samples."""


@dataclass(frozen=True)
class VerbTask:
    """What is to be done: a run, a verb, an input and an output.

    Args:
        run: the run.
        verb: what it does.
        output: a folder, or a file of one of the endings `FILES`.
        input: a file or a folder; None where new samples are made.
        options: of the verb, as they are compared when it goes on.
        style: of pictures.
        drawing: of new samples.
        label: the class of new samples.
        probabilities: whether those of all classes are written as well.
        maps: the folder of heat maps of scores.
        tile: the side of the tiles of large pictures, `auto` or `none`.
        overlap: of tiles, in pixels; by default a quarter of them.
    """

    run: Run
    verb: Verb
    output: Path
    input: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    style: Style = field(default_factory=Style)
    drawing: prior.Drawing = field(default_factory=prior.Drawing)
    label: str | None = None
    probabilities: bool = False
    maps: Path | None = None
    tile: Tile = "auto"
    overlap: int | None = None

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder.

        Raises:
            EdkitError: it has an ending that nothing writes.
        """
        ending = self.output.suffix.lower()
        if self.output.is_dir() or not ending:
            return True
        if ending not in FILES and not self.is_sheet:
            raise EdkitError(
                f"--output {str(self.output)!r}: nothing is written as {ending}: expected a folder "
                f"without an ending, or a file that ends in {', '.join(FILES)}."
            )
        return False

    @property
    def is_sheet(self) -> bool:
        """Whether the output is one sheet of new samples."""
        return self.verb == "generate" and self.output.suffix.lower() == SHEET

    def stream(self, *, strict: bool = False) -> Stream:
        """Return the samples and what is done to them, all of it checked but nothing begun."""
        is_folder = self.is_folder
        inference, samples = self._opened(self._inference())
        writer: Writer
        if self.verb == "score":
            writer = self._score_writer(samples, inference.outputs)
        elif isinstance(samples, NewCodes) and self.is_sheet and not is_folder:
            writer = SheetWriter(samples.generator, inference.outputs)
        elif is_folder:
            writer = PictureWriter(samples, inference.outputs, self._style())
        else:
            if self.style.overlay or self.style.form or self.style.masks != "ids":
                raise EdkitError(
                    "--as colours, --overlay and --format are of pictures: give --output a folder."
                )
            maps = _maps(inference.outputs, self.verb)
            changed = _Resized(samples, maps) if maps else None
            ending = self.output.suffix.lower()
            if maps and ending in (".csv", ".parquet"):
                raise EdkitError(
                    f"{next(iter(maps))!r} is a map, no number for a table: give --output a "
                    "folder, or a file that ends in .npz or .h5."
                )
            writer = FileWriter(inference.outputs, ending, changed)
        return Stream(samples, inference, writer, strict)

    def _score_writer(self, samples: FileSamples, fields: Fields) -> Writer:
        """Return the writer of scores into a table and, where they are wanted, of heat maps."""
        if self.is_folder:
            raise EdkitError(
                f"scores are a table: give --output a file that ends in {', '.join(FILES)}; "
                "--maps takes the folder of heat maps."
            )
        columns = Fields({name: one for name, one in fields.items() if name != "map"})
        table = FileWriter(columns, self.output.suffix.lower())
        if self.maps is None:
            return table
        check_folder(self.maps, going_on=hidden_folder(self.output, False).exists())
        detector = self.run.detector
        peak = detector.peak if detector else 0.0
        shape = fields["map"].shape
        if len(shape) != 2:
            raise EdkitError("--maps are of images: leave it out, the table has the scores.")
        return ScoreWriter(table, samples, (shape[0], shape[1]), self.maps, peak)

    def facts(self, samples: FileSamples) -> dict[str, Any]:
        """Return what tells this job from others; the run by its weights, wherever it lies."""
        options = {name: value for name, value in self.options.items() if value is not None}
        return {
            "run": weights_sum(self.run.model),
            "verb": self.verb,
            "options": {**options, **self._calibration()},
            "input": input_digest(samples, self.input),
            "backend": keras.config.backend(),
        }

    def _calibration(self) -> dict[str, Any]:
        """Return what scores depend on beside the weights: another calibration does not go on."""
        detector = self.run.detector if self.verb == "score" else None
        return {"calibrated": [detector.score, detector.threshold]} if detector else {}

    def _inference(self) -> outputs.Inference:
        if self.verb == "predict":
            return outputs.prediction(self.run, probabilities=self.probabilities)
        if self.verb == "segment":
            return outputs.segmentation(self.run, probabilities=self.probabilities)
        if self.verb == "score":
            if self.run.detector is None:
                raise EdkitError(
                    f"{str(self.run.path)!r} has no threshold yet: settle one on normal samples "
                    f"first, with edkit calibrate {self.run.path}."
                )
            return scoring(self.run, self.run.detector, maps=self.maps is not None)
        kinds = {"encode": outputs.encoding, "reconstruct": outputs.reconstruction}
        return kinds.get(self.verb, outputs.decoding)(self.run)

    def _opened(self, inference: outputs.Inference) -> tuple[outputs.Inference, FileSamples]:
        """Return the samples, and what is made of them, in tiles where they are large."""
        if self.verb == "generate":
            return inference, NewCodes(prior.generator(self.run, self.drawing, self.label))
        assert self.input is not None
        if self.verb == "decode":
            return inference, open_codes(self.input, inference)
        if self.verb == "encode":
            return inference, open_files(self.run, self.input, inference.inputs)
        return open_pictures(self.run, self.input, inference, self.tile, self.overlap)

    def _style(self) -> Style:
        """Return the style with the numbers that classes have in the files of the training."""
        stated = (self.run.input.reading or {}).get("ids")
        stated = stated if isinstance(stated, Mapping) else {}
        own = self.run.info.get("field_names") or {}
        ids = {
            head.name: stated[own.get(head.target, head.target)]
            for head in self.run.model.heads
            if own.get(head.target, head.target) in stated
        }
        return Style(self.style.form, self.style.masks, ids, self.style.overlay)


def _maps(fields: Fields, verb: Verb) -> dict[str, float]:
    """Return the outputs that are maps of the input, and what stands where it shows nothing."""
    if verb not in ("predict", "segment"):
        return {}
    return {
        name: -1 if one.kind == "class" else float("nan")
        for name, one in fields.items()
        if len(one.shape) > 1
    }


@dataclass(frozen=True)
class _Resized:
    """Brings the maps of a result to the size of its picture.

    Args:
        samples: of the input.
        maps: output to what stands where the sample does not show the picture.
    """

    samples: FileSamples
    maps: Mapping[str, float]

    def __call__(self, result: Result) -> Sample:
        place = self.samples.place(result.row)
        return {
            name: in_picture(array, place, self.maps[name]) if name in self.maps else array
            for name, array in result.outputs.items()
        }
