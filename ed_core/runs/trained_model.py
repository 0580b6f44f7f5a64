"""Trained model: the model of a run with what its folder says of it."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.data.fingerprint import changes, fingerprint
from ed_core.data.loading import load_data
from ed_core.data.preparation import fill_gaps, hook_of, renamed_hook, undone
from ed_core.data.selection import select
from ed_core.data.targets import needed_fields
from ed_core.errors import EdkitError
from ed_core.nn.inference_model import inference_model
from ed_core.nn.objective import Objective
from ed_core.nn.submodels import submodel
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.spec import (
    PRESENT,
    Dataset,
    Fields,
    FileReader,
    Head,
    InputRecord,
    ModelSpec,
    Preparation,
)
from ed_core.recording import Recording, RunFolder
from ed_core.runs.earlier import is_earlier
from ed_core.runs.rebuilding import check_data_plugin, fields_of


@dataclass(frozen=True)
class TrainedModel:
    """Model of a run with all that the run says of it: what the uses of a run are made of.

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
