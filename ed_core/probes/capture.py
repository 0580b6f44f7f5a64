"""Frames of a recording: bound probes of a model, written to segments."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.engine import randomness
from ed_core.errors import EdkitError
from ed_core.nn.submodels import to_numpy
from ed_core.probes.base import Bound, Probe, first
from ed_core.probes.header import Fields, probe_info
from ed_core.probes.reading import JointReader, Reading
from ed_core.recording import Event, Header, RecordingWriter
from ed_core.recording.background import BackgroundWriter
from ed_core.recording.layout import MAX_BYTES
from ed_core.recording.writer import Arrays

_DROPPED = "dropped_frames"  # column of the table: those that the disk was too slow for
_TIMES = ("step", "epoch", "seconds")  # columns that every table has
_PATIENCE = 5.0  # seconds for what waits to be written before a segment is begun
_LARGE = "frames of larger numbers than those before"
_RENEWALS = 16  # segments that are begun because a row or a frame needs more room
Types = dict[tuple[str, str], np.dtype[Any]]
"""Probe and array to the type of its numbers."""

When = tuple[int, float]
"""A step, and the epoch with its fraction."""


def bounded(probe: Probe, read: Bound, arrays: Mapping[str, np.ndarray]) -> Bound:
    """Return what reads a probe, of fewer samples where `arrays` of all are more than fit."""
    large = [array for array in _of_samples(probe, arrays) if array.nbytes > MAX_BYTES]
    if not large:
        return read
    fewest = max(1, min(len(array) * MAX_BYTES // array.nbytes for array in large))
    return read.of_first(fewest) if isinstance(read, Reading) else _of_first(read, fewest)


def _of_first(read: Bound, samples: int) -> Bound:
    return lambda batch: read(first(batch, samples))


def check_size(probe: Probe, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise EdkitError where one sample of a probe alone is more than a frame holds."""
    for array in _of_samples(probe, arrays):
        size = array.nbytes // len(array)
        if size > MAX_BYTES:
            raise EdkitError(
                f"a sample of probe {probe.name!r} has {size // 2**20} MiB, a recording holds at "
                f"most {MAX_BYTES // 2**20}: train with smaller images, or with --no-record."
            )


def _of_samples(probe: Probe, arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    return [
        array
        for name, array in arrays.items()
        if len(array) and probe.axes(name, array.ndim)[:1] == ("sample",)
    ]


def scale_remark(probe: Probe, fields: Fields) -> str:
    """Return why a probe shows no error, or ""."""
    options = probe.options(fields)
    if options.get("compared") is not False:
        return ""
    field = options["field"]
    return (
        f"{probe.name}: {field!r} is whole numbers, or a layer of the model rescales it, so no "
        "error is shown: name the field of the reference that the output is compared with, as in "
        f"Reconstruction({field!r}, target={field!r})."
    )


def _same(arrays: Arrays, others: Arrays) -> bool:
    """Tell whether two frames of the same probes hold the same numbers, in whatever types."""
    return all(
        np.array_equal(array, others[probe][name], equal_nan=array.dtype.kind == "f")
        for probe, parts in arrays.items()
        for name, array in parts.items()
    )


class FrameTypes:
    """The widest type of numbers in which each array of the frames was seen so far."""

    def __init__(self) -> None:
        self._widest: Types = {}

    @property
    def now(self) -> Types:
        """The types by probe and array, as they are now."""
        return dict(self._widest)

    def widen(self, arrays: Arrays) -> Arrays:
        """Return a frame in the widest types, its own among them."""
        for probe, parts in arrays.items():
            for name, array in parts.items():
                widest = self._widest.get((probe, name), array.dtype)
                self._widest[probe, name] = np.promote_types(widest, array.dtype)
        return converted(arrays, self._widest)


def converted(arrays: Arrays, types: Types) -> Arrays:
    """Return a frame in the given types."""
    return {
        probe: {name: a.astype(types[probe, name], copy=False) for name, a in parts.items()}
        for probe, parts in arrays.items()
    }


def can_hold(types: Types, arrays: Arrays) -> bool:
    """Return whether the given types hold every number of a frame."""
    return all(
        np.can_cast(array.dtype, types[probe, name])
        for probe, parts in arrays.items()
        for name, array in parts.items()
    )


class Capture:
    """The probes of a model, bound, and the segment that is made of what they see.

    The first frame is read at once, and written when `open` is told the names of the scalars. A
    segment has fixed columns and types: where scalars of other names come, or a frame that float16
    cannot hold, another segment goes on from there.

    Args:
        model: returns the model; on jax the call fetches its current weights.
        probes: what to watch.
        reference: the fixed batch, field to (samples, ...).
        seconds: since the training began.

    Attributes:
        seconds: since the training began, when something was last taken.

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
        net = model()
        self._probes = probes = [probe for probe in probes if probe.suits(net)]
        self._reference = reference
        self._writer: BackgroundWriter | None = None
        self.seconds = seconds
        self._newest: When = (-1, 0.0)
        bound = {probe.name: probe.bind(net) for probe in probes}
        self._reader = JointReader(bound, reference)
        self._began = time.monotonic() - seconds
        self._types = FrameTypes()
        self._recorded: Types = {}  # those of the segment
        self._refused: Types | None = None  # that no segment took
        self._dropped = self._renewals = 0
        self._written = 0.0  # seconds of the writers before the present one
        self._left_out: set[str] = set()
        arrays = self._read()
        fewer = {
            probe.name: bounded(probe, bound[probe.name], arrays[probe.name]) for probe in probes
        }
        if fewer != bound:
            self._reader = JointReader(fewer, reference)
            arrays = self._read()
        self._first = self._types.widen(arrays)
        _learning_rate(self._model())  # whose schedule is compiled here, not while frames are timed

    @property
    def is_open(self) -> bool:
        """Whether there is a segment to write to."""
        return self._writer is not None

    @property
    def writing(self) -> float:
        """Seconds of the processor that writing the last frame took."""
        return self._opened.seconds

    @property
    def written(self) -> float:
        """Seconds of the processor that writing took in all."""
        return self._written + (self._writer.busy if self._writer else 0.0)

    def steps_done(self) -> int:
        """Return how many steps the model's optimizer has taken."""
        optimizer = self._model().optimizer
        return 0 if optimizer is None else int(to_numpy(optimizer.iterations))

    def open(
        self,
        folder: Path,
        run: Mapping[str, Any],
        fields: Fields,
        logs: Mapping[str, Any],
        when: When,
        *,
        columns: Sequence[str] = (),
        curves: Sequence[str] = (),
    ) -> None:
        """Make the segment and write the first frame.

        Args:
            folder: of the segments.
            run: what the header says of the run.
            fields: what each field of the reference batch is; see `field_facts`.
            logs: what `fit` logs after the first step.
            when: the first frame was taken.
            columns: of the scalars, where they are known without logs.
            curves: the terms that are known of every step.
        """
        self._curves, self._curves_until = tuple(curves), (*when, self.seconds)
        self._folder, self._run, self._fields = folder, run, fields
        names = list(self.numbers(logs))
        weights = [f"{name}_weight" for name in _head_weights(self._model())]
        validated = [f"val_{name}" for name in names]
        has_columns = bool(columns)
        columns = columns or (*names, *validated, *weights, "learning_rate", _DROPPED)
        self._begin(tuple(dict.fromkeys(columns)), self._first, when)
        for probe in self._probes:
            if text := scale_remark(probe, fields):
                self._warn(f"scale of {probe.name}", text)
        if when[0] and not has_columns:
            text = f"training goes on from step {when[0]}"
            self._opened.append_event(Event(*when, self.seconds, "start", text))

    def frame(self, when: When, wait: bool = False) -> None:
        """Take a frame; `wait` for a slow disk instead of dropping it."""
        self._append(when, self._read(), wait)

    def scalars(self, when: When, logs: Mapping[str, Any]) -> None:
        """Take what `fit` logs, the weights of the heads and the learning rate."""
        values = self.numbers(logs)
        new = [name for name in values if name not in self._columns]
        if new:
            self._renew(when, (*self._columns, *new))
        for name, weight in _head_weights(self._model()).items():
            values[f"{name}_weight"] = float(to_numpy(weight))
        values["learning_rate"] = _learning_rate(self._model())
        values[_DROPPED] = float(self._dropped + self._opened.dropped)
        self.seconds = time.monotonic() - self._began
        self._opened.append_scalars(*when, self.seconds, values)

    def curves(self, when: When, steps: np.ndarray, values: np.ndarray) -> None:
        """Take the terms of some steps.

        Args:
            when: now; where in its epoch a step was, and its time, lie between the last and this.
            steps: (rows,), increasing.
            values: (rows, terms).
        """
        now = (*when, time.monotonic() - self._began)
        if len(steps):
            ends = np.array([self._curves_until, now], "float64")
            epochs, seconds = (np.interp(steps, ends[:, 0], ends[:, n]) for n in (1, 2))
            self._opened.append_curves(steps, epochs, seconds, values)
        self._curves_until = now

    def settle(self, seconds: float) -> list[int]:
        """Wait until what was taken is on the disk; see `BackgroundWriter.settle`."""
        return self._writer.settle(seconds) if self._writer else []

    def event(self, when: When, kind: str, text: str) -> None:
        """Write something that happened once; see `Event`."""
        self._opened.append_event(Event(*when, time.monotonic() - self._began, kind, text))

    def close(self, last: When | None) -> None:
        """Write what waits, and end the segment, if there is one.

        Args:
            last: when training ended, of which a frame is taken unless there is one that shows the
                model as it is now; or None.
        """
        if self._writer is None:
            return
        try:
            if last is not None:
                self._take_last(last)
        finally:
            self._writer.close()

    def _take_last(self, when: When) -> None:
        if self._newest != when:  # its epoch may have ended before its time
            self.frame(when, wait=True)
            return
        arrays = self._read()
        if not _same(arrays, self._shown):
            self.event(when, "weights", "the weights were changed after the last step")
            self._append(when, arrays, wait=True)

    def _begin(self, columns: tuple[str, ...], arrays: Arrays, when: When) -> None:
        """Begin a segment with a frame; raises EdkitError where it cannot be made."""
        net = self._model()
        infos = [probe_info(p, arrays[p.name], self._fields, net) for p in self._probes]
        run = {**self._run, "start_step": when[0]}
        header = Header(run, self._fields, tuple(infos), columns, self._curves)
        self.settle(_PATIENCE)  # so that the segment before does not begin one as well
        writer = BackgroundWriter(RecordingWriter(self._folder, header, self._reference))
        if self._writer is not None:
            self._dropped += self._writer.dropped
            self._writer.close()
            self._written += self._writer.busy
        self._writer, self._columns = writer, columns
        self._recorded = self._types.now
        writer.append(*when, self.seconds, arrays, wait=True)
        self._newest, self._shown = when, arrays

    def _renew(self, when: When, columns: tuple[str, ...], arrays: Arrays | None = None) -> None:
        """Go on in another segment; where that cannot be, say once what is left out."""
        if self._opened.problem:
            return
        self.seconds = time.monotonic() - self._began
        new = [name for name in columns if name not in self._columns]
        try:
            if self._renewals == _RENEWALS:
                raise EdkitError(f"a recording begins {_RENEWALS} segments for such at the most.")
            self._renewals += 1
            self._begin(columns, arrays or self._types.widen(self._read()), when)
        except EdkitError as error:
            self._columns, self._refused = columns, self._types.now  # it is not tried again
            what = f"scalars {', '.join(new)}, and others that are new," if new else _LARGE
            self._warn("scalars" if new else "numbers", f"{what} are not recorded: {error}")

    def _append(self, when: When, arrays: Arrays, wait: bool) -> None:
        wide = self._types.widen(arrays)
        if self._types.now not in (self._recorded, self._refused):
            self._renew(when, self._columns, wide)
            if self._newest == when:
                return
        if self._types.now != self._recorded:
            if not can_hold(self._recorded, arrays):
                self._warn("numbers", f"{_LARGE} are not recorded: no further segment is begun.")
                return
            wide = converted(arrays, self._recorded)
        self.seconds = time.monotonic() - self._began
        if self._opened.append(*when, self.seconds, wide, wait):
            # One that was dropped is taken again.
            self._newest, self._shown = when, wide

    @property
    def _opened(self) -> BackgroundWriter:
        assert self._writer is not None
        return self._writer

    def _read(self) -> Arrays:
        """Return what the probes see; no generator of the model is moved."""
        with randomness.undisturbed(self._model()):  # on jax the call fetches the current weights
            return self._reader.read()

    def numbers(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Return what is a number among logs; what is none is left out, and said once."""
        numbers = {}
        for name, value in logs.items():
            number = _number(value)
            if number is None or name in _TIMES or not isinstance(name, str):
                why = "a column of this name is there" if name in _TIMES else "it is no number"
                self._warn(str(name), f"{name!r} in the logs is not recorded: {why}.")
            else:
                numbers[name] = number
        return numbers

    def _warn(self, what: str, text: str) -> None:
        if what not in self._left_out:
            self._left_out.add(what)
            warnings.warn(text, stacklevel=4)


def _head_weights(model: Any) -> Mapping[str, Any]:
    weights: Mapping[str, Any] = getattr(model, "head_weights", {})
    return weights


def _learning_rate(model: Any) -> float:
    """Return the learning rate, NaN where the optimizer has not one of its own."""
    rate = getattr(model.optimizer, "learning_rate", None)
    return float("nan") if rate is None else float(to_numpy(rate))


def _number(value: Any) -> float | None:
    """Return a scalar of any library as a float, None where it is none."""
    if value is None:
        return float("nan")  # as Keras logs a metric that has no value yet
    try:
        array = ops.convert_to_numpy(value) if ops.is_tensor(value) else np.asarray(value)
    except (TypeError, ValueError):  # such as a list of lists of several lengths
        return None
    return float(array.reshape(())) if array.size == 1 and array.dtype.kind in "biuf" else None
