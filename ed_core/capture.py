"""Frames of a recording: the bound probes of a model, and the segment that they go to."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ed_core.probes import Probe
from ed_core.probes.room import bounded
from ed_core.recording import ArrayInfo, Event, Header, ProbeInfo, RecordingWriter
from ed_core.recording.background import BackgroundWriter
from ed_core.recording.writer import Arrays
from ed_core.submodels import to_numpy, with_inputs

_DROPPED = "dropped_frames"  # column of the table: those that the disk was too slow for

Fields = Mapping[str, Mapping[str, Any]]
When = tuple[int, float]
"""A step, and the epoch with its fraction."""


class Capture:
    """The probes of a model, bound, and the segment that is made of what they see.

    The first frame is read at once, and written when `open` is told the names of the scalars.

    Args:
        model: returns the model; on jax the call fetches its current weights.
        probes: what to watch.
        reference: the fixed batch, field to (samples, ...).
        seconds: since the training began.

    Attributes:
        start: the optimizer step at which this begins.
        seconds: since the training began, when something was last taken.
        newest: the step of the newest frame, -1 while there is none.

    Raises:
        EdkitError: a probe does not fit the model.
    """

    def __init__(
        self,
        model: Callable[[], keras.Model],
        probes: Sequence[Probe],
        reference: Mapping[str, np.ndarray],
        seconds: float,
    ) -> None:
        self._model = model
        self._probes = probes
        self._reference = reference
        self._writer: BackgroundWriter | None = None
        self.seconds = seconds
        self.newest = -1
        net = model()
        self.start = int(to_numpy(net.optimizer.iterations))
        self._bound = {probe.name: probe.bind(net) for probe in probes}
        self._began = time.monotonic() - seconds
        self._first = {**self._read()}
        for probe in probes:
            read, arrays = self._bound[probe.name], self._first[probe.name]
            self._bound[probe.name] = few = bounded(probe, read, arrays)
            self._first[probe.name] = arrays if few is read else few(reference)
        self._learning_rate()  # whose schedule is compiled here, not while frames are timed

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to write to."""
        return self._writer is not None

    @property
    def writing(self) -> float:
        """Seconds of the processor that writing the last frame took."""
        return self._opened.seconds

    def open(
        self, folder: Path, run: Mapping[str, Any], fields: Fields, names: Sequence[str], when: When
    ) -> None:
        """Make the segment and write the first frame.

        Args:
            folder: of the segments.
            run: what the header says of the run.
            fields: what each field of the reference batch is.
            names: of the scalars that `fit` logs.
            when: the first frame was taken.
        """
        infos = [probe_info(p, self._first[p.name], fields) for p in self._probes]
        weights = [f"{name}_weight" for name in self._weights()]
        validated = [f"val_{name}" for name in names]
        columns = (*names, *validated, *weights, "learning_rate", _DROPPED)
        header = Header(run, with_inputs(self._model(), fields), tuple(infos), columns)
        self._writer = BackgroundWriter(RecordingWriter(folder, header, self._reference))
        self._writer.append(*when, self.seconds, self._first, wait=True)
        if self.start:
            text = f"training goes on from step {self.start}"
            self._writer.append_event(Event(*when, self.seconds, "start", text))
        self._first = {}

    def frame(self, when: When, wait: bool = False) -> None:
        """Take a frame; `wait` for a slow disk instead of dropping it."""
        arrays = self._read()
        self.seconds = time.monotonic() - self._began
        if self._opened.append(*when, self.seconds, arrays, wait):
            self.newest = when[0]  # one that was dropped is taken again at the end

    def scalars(self, when: When, logs: Mapping[str, float]) -> None:
        """Take what `fit` logs, the weights of the heads and the learning rate."""
        values = {name: float(value) for name, value in logs.items()}
        for name, weight in self._weights().items():
            values[f"{name}_weight"] = float(to_numpy(weight))
        values["learning_rate"] = self._learning_rate()
        values[_DROPPED] = float(self._opened.dropped)
        self.seconds = time.monotonic() - self._began
        self._opened.append_scalars(*when, self.seconds, values)

    def event(self, when: When, kind: str, text: str) -> None:
        """Write something that happened once; see `Event`."""
        self._opened.append_event(Event(*when, time.monotonic() - self._began, kind, text))

    def close(self, last: When | None) -> None:
        """Write what waits, and end the segment, if there is one.

        Args:
            last: when training ended, of which a frame is taken unless there is one; or None.
        """
        if self._writer is None:
            return
        try:
            if last is not None and self.newest != last[0]:
                self.frame(last, wait=True)
        finally:
            self._writer.close()

    @property
    def _opened(self) -> BackgroundWriter:
        assert self._writer is not None
        return self._writer

    def _read(self) -> Arrays:
        self._model()  # on jax this fetches the current weights
        return {name: read(self._reference) for name, read in self._bound.items()}

    def _weights(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = getattr(self._model(), "head_weights", {})
        return found

    def _learning_rate(self) -> float:
        return float(to_numpy(self._model().optimizer.learning_rate))


def probe_info(probe: Probe, arrays: Mapping[str, np.ndarray], fields: Fields) -> ProbeInfo:
    """Return what the recording's header says of a probe, given one of its frames."""
    infos = {
        name: ArrayInfo(array.shape, array.dtype.str, probe.axes(name, array.ndim))
        for name, array in arrays.items()
    }
    return ProbeInfo(probe.name, probe.kind, infos, probe.options(fields))
