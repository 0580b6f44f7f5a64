"""Trained run, opened from its folder, and put to work on arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ed_core.errors import EdkitError, unknown
from ed_core.nn.objective import Objective
from ed_core.recording import RunFolder
from ed_core.runs import outputs, prior
from ed_core.runs.checkpoints import BEST, newest_first, newest_that_reads, restore_weights
from ed_core.runs.detector import Detector, detector_of, scoring
from ed_core.runs.export import export
from ed_core.runs.rebuilding import (
    check_info,
    load_weights,
    rebuild,
    stored_shapes,
    warn_of_faults,
)
from ed_core.runs.tiled import Tile, is_tileable, tiled
from ed_core.runs.trained_model import TrainedModel
from ed_core.runs.weights_file import read_shapes


@dataclass(frozen=True)
class Run(TrainedModel):
    """Run folder with its model, to be asked for codes, reconstructions, predictions and scores.

    Args:
        folder: where it lies.
        info: what its `run.json` says.
        model: the model with its weights, a functional `keras.Model`, dict in and dict out.
        weights: which they are, `last` or `best`.
    """

    def encode(self, x: Any) -> dict[str, np.ndarray]:
        """Return the codes of samples, `code` (samples, ...), without noise.

        Args:
            x: field to (samples, ...), as the data set loads them; or one array where the model
                takes one input. What was fitted in training is applied.

        Raises:
            EdkitError: the run has no encoder, or the samples are not what it takes.
        """
        return outputs.encoding(self).of(x)

    def decode(self, codes: Any) -> dict[str, np.ndarray]:
        """Return what is decoded from codes, by field, in the units of the data set.

        Args:
            codes: what `encode` returned, or an array (samples, ...), flat or not.

        Raises:
            EdkitError: the run has no decoder of codes.
        """
        decoding = outputs.decoding(self)
        given = dict(codes) if isinstance(codes, Mapping) else {"code": codes}
        if "code" in given:
            array = np.asarray(given["code"], "float32")
            given["code"] = array.reshape(len(array), *decoding.inputs["code"].shape)
        return decoding.of(given)

    def reconstruct(
        self, x: Any, *, tile: Tile = "auto", overlap: int | None = None
    ) -> dict[str, np.ndarray]:
        """Return the reconstructions of samples, by field, in the units of the data set.

        Args:
            x: as in `encode`; pictures may have another size, and are then taken in tiles.
            tile: as in `segment`.
            overlap: as in `segment`.

        Raises:
            EdkitError: the run gives none of its inputs back.
        """
        return _sized(outputs.reconstruction(self), tile, overlap).of(x)

    def predict(self, x: Any, *, probabilities: bool = False) -> dict[str, np.ndarray]:
        """Return what the heads predict, by head: names of classes, values in their units.

        The probability of a class HEAD is `HEAD_probability` (samples,).

        Args:
            x: as in `encode`.
            probabilities: whether those of all classes, `HEAD_probabilities` (samples, classes),
                are given as well.

        Raises:
            EdkitError: the run predicts no class and no value.
        """
        return outputs.prediction(self, probabilities=probabilities).of(x)

    def segment(
        self,
        x: Any,
        *,
        probabilities: bool = False,
        tile: Tile = "auto",
        overlap: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Return the number of the class of every pixel, by head, (samples, height, width).

        Args:
            x: as in `encode`; pictures may have another size, and are then taken in tiles.
            probabilities: whether `HEAD_probabilities` (samples, height, width, classes) are given
                as well.
            tile: the side of a tile in pixels; `auto` for the size that the run was trained on,
                `none` for each picture in one piece.
            overlap: pixels that neighbours share at least; by default a quarter of a tile. The
                probabilities are blended where tiles overlap.

        Raises:
            EdkitError: the run predicts no class of a pixel.
        """
        inference = outputs.segmentation(self, probabilities=probabilities)
        return _sized(inference, tile, overlap).of(x)

    @cached_property
    def detector(self) -> Detector | None:
        """The score and the threshold that `edkit calibrate` settled; None where it did not."""
        return detector_of(self)

    def score(
        self, x: Any, *, maps: bool = False, overlap: int | None = None
    ) -> dict[str, np.ndarray]:
        """Return how odd samples are: `score` (samples,).

        Once the run is calibrated also `probability`, the share of the calibration scores that lie
        below, and `verdict`, normal or odd.

        Args:
            x: as in `encode`; pictures may have another size: the score is that of their oddest
                tile.
            maps: whether `map` (samples, height, width), or of signals (samples, time), is given as
                well: where it is odd.
            overlap: of tiles, as in `segment`.

        Raises:
            EdkitError: the run can give no score, or no map.
        """
        return _sized(scoring(self, self.detector, maps=maps), "auto", overlap).of(x)

    def generate(self, count: int, *, seed: int = 0, label: Any = None) -> dict[str, np.ndarray]:
        """Return new samples, decoded from codes drawn from N(0, 1), by field.

        Args:
            count: how many; the first ones are the same whatever their number.
            seed: of the codes.
            label: of a conditional decoder: a class by name or number, or one for each sample; by
                default all classes in turn, which are then given back as well.

        Raises:
            EdkitError: the codes of the run have no prior: it is neither variational nor a
                generator.
        """
        return prior.generate(self, prior.Drawing(count, seed), label)

    def export(self, output: str | Path, *, part: str = "", form: str | None = None) -> None:
        """Write the model for other programs, with preparation, units and threshold inside.

        Its inputs are numbers as files have them (bytes of a picture, columns of a table), at the
        size of the model; its outputs, in the same units, reconstructions by field, probabilities
        and values by head, `code`, and of a calibrated run `score` and `verdict` (1 is odd). A JSON
        file beside it says what they are. Where the model samples a code, it has the mean.

        Args:
            output: a file that ends in .keras, .onnx, .xml (OpenVINO) or .tflite, or a folder
                without an ending (SavedModel). Nothing that is there is overwritten.
            part: `encoder`, from samples to `code`, or `decoder`, from `code` to fields; "" for
                all.
            form: `keras`, `onnx`, `openvino`, `litert` or `saved_model`, in place of the one that
                the ending says.

        Raises:
            EdkitError: something is there already, a package is missing, or the model cannot be
                exported, such as one with a layer that Keras does not have.
        """
        export(self, Path(output), part, form, self.detector)


def _sized(inference: outputs.Inference, tile: Tile, overlap: int | None) -> outputs.Inference:
    """Return an inference that takes pictures of any size, where tiles can be made of them."""
    if tile == "auto" and overlap is None and not is_tileable(inference):
        return inference
    return tiled(inference, tile, overlap)


def open_run(
    path: str | Path, *, weights: Literal["last", "best"] = "last", model: Objective | None = None
) -> Run:
    """Open a run with its final weights, or, if it has not finished, those of a checkpoint.

    Warns of faults of runs of earlier versions; see `ed_core.runs.earlier`.

    Args:
        path: the run folder.
        weights: `last`, or `best`: those of the epoch with the lowest loss on the validation
            split, at the heads' final weights.
        model: the model, where the caller has it already.

    Raises:
        EdkitError: it is no run, its model is not registered here, its weights do not fit, or
            nothing was kept aside to choose the best on.
    """
    folder = RunFolder.open(path)
    info = folder.read()
    check_info(info, str(path))
    if weights not in ("last", "best"):
        raise unknown("weights", weights, ("last", "best"))
    if model is None:
        model = _load_best(folder, info) if weights == "best" else _load(folder, info)
        warn_of_faults(info, model, str(path))
    return Run(folder, info, model, weights)


def _load(folder: RunFolder, info: Mapping[str, Any]) -> Objective:
    if not folder.weights.is_file() and not newest_first(folder.checkpoints):
        raise EdkitError(f"{str(folder.path)!r} has neither weights nor a checkpoint yet.")
    if folder.weights.is_file():
        objective = rebuild(info, read_shapes(folder.weights))
        load_weights(objective, folder.weights)
        return objective
    objective = rebuild(info, stored_shapes(newest_first(folder.checkpoints)))
    newest_that_reads(folder.checkpoints, lambda path: restore_weights(path, objective))
    return objective


def _load_best(folder: RunFolder, info: Mapping[str, Any]) -> Objective:
    path = folder.checkpoints / BEST
    if not path.is_file():
        why = "nothing was kept aside to choose on" if info.get("validation") == 0 else "none yet"
        raise EdkitError(
            f"{str(folder.path)!r} has no best weights ({why}): leave --weights best out, or train "
            "without --validation 0."
        )
    objective = rebuild(info, read_shapes(path))
    restore_weights(path, objective)
    return objective
