"""Trained run, opened from plugin name, checked options and weights; never code or pickle."""

import contextlib
import threading
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from ed_core.data.batches import needed_fields
from ed_core.data.fingerprint import changes, fingerprint
from ed_core.data.loading import load_data
from ed_core.data.preparation import fill_gaps, hook_of, renamed_hook, undone
from ed_core.data.selection import select
from ed_core.engine import precision, randomness
from ed_core.errors import EdkitError, one_line, unknown
from ed_core.nn.inference_model import inference_model
from ed_core.nn.objective import Objective
from ed_core.nn.submodels import submodel, to_numpy
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.options import check_counts
from ed_core.plugins.registry import PLUGIN_FILES
from ed_core.plugins.spec import (
    PRESENT,
    Dataset,
    Field,
    Fields,
    FileReader,
    Head,
    InputRecord,
    ModelSpec,
    Preparation,
)
from ed_core.recording import Recording, RunFolder
from ed_core.runs import outputs, prior
from ed_core.runs.checkpoints import BEST, newest_first, newest_that_reads, restore_weights
from ed_core.runs.detector import Detector, detector_of, scoring
from ed_core.runs.earlier import faults, is_earlier
from ed_core.runs.weights_file import check_fit, read_arrays, read_shapes, write_arrays

_SPARE = 8  # times what is stored: of a run that is a part of this one, parts may be left out
_FREE = 4 * 10**6, 256  # numbers and arrays that any model may have beside
_UNKNOWN = 50 * 10**6, 10**4  # numbers and arrays of a model of which nothing is stored yet
_BOUNDED = threading.RLock()
_ADD_WEIGHT = keras.layers.Layer.add_weight

Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Run:
    """Run folder with its model.

    Args:
        folder: where it lies.
        info: what its `run.json` says.
        model: the model with its weights, a functional `keras.Model`, dict in and dict out.
        weights: which they are, `last` or `best`.
    """

    folder: RunFolder
    info: Mapping[str, Any]
    model: Objective
    weights: str = "last"

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    @property
    def spec(self) -> ModelSpec:
        """The registered model."""
        return MODELS[self.info["model"]]

    @property
    def encoder(self) -> Any:
        """The submodel from inputs to a dict with `code`."""
        return submodel(self.model, "encoder")

    @property
    def decoder(self) -> Any:
        """The submodel from a dict with `code` to outputs."""
        return submodel(self.model, "decoder")

    def inference_model(self, part: str = "") -> Any:
        """Return a submodel, or the whole model, as an inference model of Keras' own layers alone.

        Its file is loaded by Keras without edkit; in use its outputs are the same.

        Args:
            part: such as `encoder` or `decoder`; "" for the whole model.

        Raises:
            EdkitError: there is no such submodel, or a layer has no counterpart in Keras.
        """
        return inference_model(submodel(self.model, part) if part else self.model)

    @cached_property
    def fields(self) -> Fields:
        """The fields of the data set that it was trained on."""
        return fields_of(self.info)

    @cached_property
    def data(self) -> Dataset:
        """The data set that it was trained on: the selection by its plan."""
        check_data_plugin(self.info)
        return self._selected(load_data(self.info["data"]))

    @cached_property
    def input(self) -> InputRecord:
        """The record of its input: the values fitted by its data set."""
        record = InputRecord.from_facts(self.info.get("input"))
        if record.fitted is None and is_earlier(self.info):
            return self.data.input
        return record

    def prepare(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Return samples prepared for the model with the fitted values of its data set.

        Args:
            arrays: field to (samples, ...), as the data set loads them or the model calls them.

        Raises:
            EdkitError: the data set of the run is unavailable, or the channels differ.
        """
        fitted = self.input.fitted
        arrays = _with_names_of_model(arrays, self.info.get("field_names") or {})
        if fitted is None:
            return arrays
        if self._hook is not None:
            arrays = self._hook.apply(arrays, fitted)
        named = [name.removesuffix(PRESENT) for name in self.fields if name.endswith(PRESENT)]
        return fill_gaps(arrays, [name for name in named if name in arrays])

    def undo(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """Return outputs of the model in the units of its data set, by field; see `prepare`."""
        fitted = self.input.fitted
        return dict(arrays) if fitted is None else undone(self._hook, arrays, fitted)

    @cached_property
    def reader(self) -> FileReader | None:
        """The reader of files of its own data set, None where that is not there or has none."""
        name = str(self.info["data"]).partition(":")[0]
        return DATASETS[name].files if name in DATASETS else None

    @cached_property
    def _hook(self) -> Preparation | None:
        """What applies the fitted values; it is asked of the training data only where it must."""
        hook = hook_of(self.input)
        if hook is None and self.reader is not None and self.reader.preparation is not None:
            return renamed_hook(self.reader.preparation, self.info.get("field_names") or {})
        return hook or self.data.preparation

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

    def reconstruct(self, x: Any) -> dict[str, np.ndarray]:
        """Return the reconstructions of samples, by field, in the units of the data set.

        Args:
            x: as in `encode`.

        Raises:
            EdkitError: the run gives none of its inputs back.
        """
        return outputs.reconstruction(self).of(x)

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

    def segment(self, x: Any, *, probabilities: bool = False) -> dict[str, np.ndarray]:
        """Return the number of the class of every pixel, by head, (samples, height, width).

        Args:
            x: as in `encode`.
            probabilities: whether `HEAD_probabilities` (samples, height, width, classes) are given
                as well.

        Raises:
            EdkitError: the run predicts no class of a pixel.
        """
        return outputs.segmentation(self, probabilities=probabilities).of(x)

    @cached_property
    def detector(self) -> Detector | None:
        """The score and the threshold that `edkit calibrate` settled; None where it did not."""
        return detector_of(self)

    def score(self, x: Any, *, maps: bool = False) -> dict[str, np.ndarray]:
        """Return how odd samples are: `score` (samples,).

        Once the run is calibrated also `probability`, the share of the calibration scores that lie
        below, and `verdict`, normal or odd.

        Args:
            x: as in `encode`.
            maps: whether `map` (samples, height, width), or of signals (samples, time), is given as
                well: where it is odd.

        Raises:
            EdkitError: the run can give no score, or no map.
        """
        return scoring(self, maps=maps).of(x)

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

    def recognise(self, data: Dataset) -> bool:
        """Adopt a data set as the run's own, moved elsewhere; return whether it is the same.

        Args:
            data: as it was loaded.
        """
        fingerprint_of_run = self.info.get("fingerprint")
        try:
            own = self._selected(data)
            names = needed_fields(self.model.input, self.model.heads)
            if not fingerprint_of_run or changes(fingerprint_of_run, fingerprint(own, names)):
                return False
        except (EdkitError, KeyError):
            return False
        self.__dict__["data"] = own
        return True

    def substitute_data(self, data: Dataset, *, selected: bool = False) -> None:
        """Use another data set, prepared, when the run's own is unavailable.

        Nothing of it is held out, except if only one class is normal.

        Args:
            data: the data set.
            selected: whether it is what the run was trained on, selected by its plan.
        """
        only = self.info.get("only") and not selected
        self.__dict__["data"] = self._selected(data) if only else data

    def _selected(self, data: Dataset) -> Dataset:
        earlier = is_earlier(self.info)
        return select(data, self.spec.heads, self.info, earlier=earlier)

    @cached_property
    def scalars(self) -> dict[str, np.ndarray]:
        """The recorded table as columns (rows,); empty where nothing was recorded."""
        with self.recording() as recording:
            return recording.scalars()

    @cached_property
    def curves(self) -> dict[str, np.ndarray]:
        """The losses of every step as columns (rows,); see `Recording.curves`."""
        with self.recording() as recording:
            return recording.curves()

    def was_trained(self, head: Head) -> bool:
        """Return whether a head ever had a weight: predictions of others mean nothing.

        It may have been set by hand while it trained.
        """
        planned = self.spec.weights(self.info["params"], self.info.get("weights"))[head.name]
        try:
            recorded = self.scalars.get(f"{head.name}_weight", np.empty(0))
        except EdkitError:  # a damaged recording
            recorded = np.empty(0)
        return planned > 0 or bool(np.any(recorded > 0))

    def recording(self) -> Recording:
        """Open the recording of its training; warn of damaged parts."""
        recording = Recording(self.path)
        if recording.problem and any(self.folder.recording.glob("*.h5")):
            warnings.warn(f"{str(self.path)!r}: {recording.problem}", stacklevel=2)
        return recording


def _with_names_of_model(arrays: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return arrays by the model's names of fields, of which some are those of the data set."""
    taken = {model_name: arrays[own] for model_name, own in names.items() if own in arrays}
    rest = {name: x for name, x in arrays.items() if name not in {*names.values(), *taken}}
    return {**rest, **taken}


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


def warn_of_faults(info: Mapping[str, Any], model: Any, where: str) -> None:
    """Warn in one line of the faults of a run of an earlier version."""
    if is_earlier(info) and (sentences := faults(info, model)):
        warnings.warn(
            f"{where!r} is a run of an earlier version: {'; '.join(sentences)}. Train it anew "
            "before its numbers are relied on.",
            stacklevel=3,
        )


def check_info(info: Mapping[str, Any], where: str) -> None:
    """Raise EdkitError unless `run.json` has all entries needed to rebuild the model."""
    if "fields" not in info and info.get("data") == "":  # as `Recorder` writes it
        raise EdkitError(
            f"{where!r} holds what was recorded of a model of your own, and not the model: look at "
            "it with edkit view; to be measured, drawn or resumed, a model is registered."
        )
    for key in ("model", "data", "params", "fields"):
        if key not in info:
            raise EdkitError(f"{where!r} cannot be opened: its run.json lacks {key!r}.")


def spec_of(info: Mapping[str, Any]) -> ModelSpec:
    """Return the registered model of a run; a file only names a plugin, it never imports one."""
    _check_plugins(info, "model", info["model"], MODELS)
    return MODELS[info["model"]]


def check_data_plugin(info: Mapping[str, Any]) -> None:
    """Raise EdkitError if the data set of a run is in a plugin file that is not loaded."""
    _check_plugins(info, "data set", str(info["data"]).partition(":")[0], DATASETS)


def _check_plugins(
    info: Mapping[str, Any], what: str, name: str, registered: Container[str]
) -> None:
    missing = [path for path in info.get("plugins", ()) if path not in PLUGIN_FILES]
    if missing and name not in registered:
        raise EdkitError(
            f"{what} {name!r} came from a plugin file: pass --plugin {missing[0]}, "
            "or import it first."
        )


def build(
    spec: ModelSpec,
    fields: Fields,
    params: Mapping[str, Any],
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Objective:
    """Build a registered model for the given fields, its initial weights drawn from `seed`.

    Raises:
        EdkitError: the builder refuses an option, heads and outputs do not fit, or a weight is
            that of a head which the model lacks.
    """
    checked = spec.check(params)
    if keras.config.image_data_format() != "channels_last":
        raise EdkitError(
            "edkit's models and data have the channels last, and Keras is set to channels_first: "
            "set image_data_format in keras.json to channels_last."
        )
    try:
        with randomness.initial_weights_from(seed):
            net = spec.builder(fields, **checked)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign plugin may fail in any way
        check_counts(spec.options, checked)
        raise EdkitError(
            f"model {spec.name!r} cannot be built with {checked}: {one_line(error)}"
        ) from error
    objective = Objective(net, with_masks(spec.heads, fields), spec.weights(checked, weights))
    for name in weights or {}:
        if name not in objective.head_weights:
            there = ", ".join(objective.head_weights)
            raise EdkitError(
                f"model {spec.name!r} has no head {name!r} with these options, only: {there}."
            )
    return objective


def with_masks(heads: Iterable[Head], fields: Fields) -> tuple[Head, ...]:
    """Return the heads, each with the mask of its target where the data have one, NAME_present."""
    return tuple(
        replace(head, mask=head.target + PRESENT)
        if head.needs_target and not head.mask and head.target + PRESENT in fields
        else head
        for head in heads
    )


def save_weights(objective: Objective, path: Path) -> None:
    """Write the weights of the model, those of its layers in their order."""
    variables = objective.layer_weights
    facts = {"names": [v.path for v in variables]}
    write_arrays(path, [to_numpy(v) for v in variables], facts)


def load_weights(objective: Objective, path: Path) -> None:
    """Read what `save_weights` wrote, on any backend; raises EdkitError if it does not fit."""
    arrays, _ = read_arrays(path)
    variables = objective.layer_weights
    check_fit(arrays, variables, path)
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


@contextlib.contextmanager
def bounded(stored: Shapes) -> Iterator[None]:
    """Refuse, in this block, to build a model far larger than its stored weights.

    A `run.json` of a few bytes may describe a model that fills the memory.

    Args:
        stored: the shapes of the arrays in its file; none where nothing is stored yet.

    Raises:
        EdkitError: the weights are more, before the memory for them is taken.
    """
    most = _UNKNOWN
    if stored:
        size = sum(map(prod, stored)), len(stored)
        most = _SPARE * size[0] + _FREE[0], _SPARE * size[1] + _FREE[1]
    numbers = arrays = 0
    thread = threading.get_ident()

    def counted(layer: Any, *args: Any, **options: Any) -> Any:
        nonlocal numbers, arrays
        if threading.get_ident() == thread:
            shape = options.get("shape", next(iter(args), None))
            numbers += prod(map(int, shape)) if isinstance(shape, tuple | list) else 1
            arrays += 1
            if numbers > most[0] or arrays > most[1]:
                raise EdkitError("too large")
        return _ADD_WEIGHT(layer, *args, **options)

    with _BOUNDED:  # within a block of its own, a run that is a part of another counts alone
        before = keras.layers.Layer.add_weight
        keras.layers.Layer.add_weight = counted
        try:
            yield
        except Exception as error:
            if numbers > most[0] or arrays > most[1]:
                raise EdkitError(
                    f"run.json describes a model of {numbers} weights or more in {arrays} arrays, "
                    "far more than is stored of it: it was written by another model or with other "
                    "options."
                ) from error
            raise
        finally:
            keras.layers.Layer.add_weight = before


def stored_shapes(paths: Iterable[Path]) -> Shapes:
    """Return the shapes in the first of some files that can be read; none where none can."""
    for path in paths:
        with contextlib.suppress(EdkitError):
            return read_shapes(path)
    return ()


def rebuild(info: Mapping[str, Any], stored: Shapes = ()) -> Objective:
    """Build the model that `run.json` describes, with its initial weights.

    Args:
        info: what it says.
        stored: the shapes of the arrays that are stored of it; see `bounded`.
    """
    fields = fields_of(info)
    with precision.as_trained(info), bounded(stored):
        return build(
            spec_of(info), fields, info["params"], info.get("weights"), info.get("seed", 0)
        )


def fields_of(info: Mapping[str, Any]) -> Fields:
    """Return the fields that `run.json` describes."""
    return Fields({name: Field.from_facts(facts) for name, facts in info["fields"].items()})


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
