"""Keras callback that records a model's probes during training."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.engine.gradients import equal_paths
from ed_core.errors import EdkitError
from ed_core.nn.curves import CurveTap
from ed_core.nn.objective import Objective
from ed_core.probes import Probe
from ed_core.probes.capture import Capture, When
from ed_core.probes.header import field_facts, guess_fields
from ed_core.probes.pacing import SHARE, RecordingCost, RecordingInterval
from ed_core.probes.step_count import StepCount
from ed_core.recording import RunFolder
from ed_core.recording.run_description import checked


class OwnFolder:
    """Makes a run folder, holds it while it is written to, and leaves in it how that ended."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._held = ExitStack()

    def begin(self, run: Mapping[str, Any]) -> None:
        """Make the folder, or go on in it.

        Raises:
            EdkitError: another process trains in it, or what is said of the run is not what
                `run.json` may hold.
        """
        versions = {"backend": keras.config.backend(), "keras": keras.__version__}
        info = checked({**run, **versions, "status": "training"}, str(self._folder.info_file))
        for part in (self._folder.recording, self._folder.checkpoints):
            part.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(self._folder.hold())
        self._folder.write(info)

    @contextmanager
    def ending(self, failed: bool, error: BaseException | None) -> Iterator[None]:
        """End the folder with the block, as failed where the training or the block has.

        Args:
            failed: whether the training has.
            error: what it failed of, if that is known.
        """
        try:
            yield
        except BaseException as found:
            self._end(True, error or found)
            raise
        self._end(failed, error)

    def _end(self, failed: bool, error: BaseException | None) -> None:
        """Write the status, and what failed; does nothing if the folder was never made."""
        try:
            if self._folder.info_file.exists() and failed:
                self._folder.fail(error)
            elif self._folder.info_file.exists():
                self._folder.end("finished")
        finally:
            self._held.close()


class EpochScalars:
    """The scalars of an epoch, which a callback behind the recorder may change or add to."""

    def __init__(self) -> None:
        self._written: tuple[When, Mapping[str, Any], dict[str, float]] | None = None

    def write(self, capture: Capture, when: When, logs: Mapping[str, Any]) -> None:
        """Write the scalars as they are now."""
        capture.scalars(when, logs)
        self._written = when, logs, capture.numbers(logs)

    def write_changed(self, capture: Capture | None) -> None:
        """Write them again where they are others by now."""
        written, self._written = self._written, None
        if written is None or capture is None:
            return
        when, logs, before = written
        if _differ(capture.numbers(logs), before):
            capture.scalars(when, logs)


class LossCurves:
    """The losses of every step, where the model keeps them and counts its steps as the recorder.

    Args:
        count: of the steps.
    """

    def __init__(self, count: StepCount) -> None:
        self._count = count
        self._tap: CurveTap | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The terms, none where the model keeps no losses."""
        return tuple(self._tap.names) if self._tap else ()

    def begin(self, model: Any) -> None:
        """Follow a model from its present step."""
        gathers = getattr(model.optimizer, "gradient_accumulation_steps", None)
        if not isinstance(model, Objective) or (gathers and not self._count.fixed):
            return
        if self._tap is None:
            self._tap = CurveTap(model.step_losses.names)
        self._tap.begin(model.step_losses, self._count.step)

    def due(self) -> bool:
        """Return whether the model keeps no more losses until some are written."""
        return self._tap is not None and self._tap.due(self._count.step)

    def write(self, capture: Capture, model: Any, last: bool = False) -> None:
        """Write the losses of the steps since the last time to an open segment."""
        assert self._tap is not None
        rows = self._tap.fetch(model.step_losses, self._count.step, last)
        capture.curves(self._count.when, *rows)


class HistoryEnd:
    """The end of training as Keras' own history sees it, which is the last in the callbacks' list.

    A callback is not told what stands behind it, and some change the model when training ends.

    Args:
        model: returns the model that is trained; on jax the call fetches its weights.
    """

    def __init__(self, model: Callable[[], Any]) -> None:
        self._model = model
        self._borrowed: Any = None  # the history whose end calls ours
        self.follows = False

    def look(self, params: Any, epoch: int) -> None:
        """Note, at the end of an epoch, whether the history stands behind whoever asks."""
        self.follows = getattr(self._of(params), "epoch", [epoch])[-1:] != [epoch]

    def call(self, params: Any, finish: Callable[[], None]) -> None:
        """Call `finish` once, after the history's own end of this `fit`."""
        self._borrowed = history = self._of(params)
        original = history.on_train_end  # or what another recorder has put there

        def end(logs: dict[str, Any] | None = None) -> None:
            self.give_back()
            try:
                original(logs)
            finally:
                finish()

        history.on_train_end = end

    def give_back(self) -> None:
        """Leave the history as it was."""
        borrowed, self._borrowed = self._borrowed, None
        if borrowed is not None:
            vars(borrowed).pop("on_train_end", None)

    def _of(self, params: Any) -> Any:
        """Return the history of this `fit`, None where an own list of callbacks has none."""
        history = getattr(self._model(), "history", None)
        return history if getattr(history, "params", None) is params else None


class Recorder(keras.callbacks.Callback):
    """Records probes and scalars of any Keras model into a run folder, while `fit` runs.

        model.fit(..., callbacks=[ed_core.Recorder("runs/mine", probes=[...], reference=batch)])

    A frame is taken before the first step, after the last one, and in between as often as costs
    at most `share` of the training time; the interval grows with the age of the run, so that the
    file stays bounded. `every` takes one every so many steps instead. The last one is of the model
    that `fit` leaves, wherever in the list of callbacks one stands that changes it, such as
    `EarlyStopping(restore_best_weights=True)`. Only where the list has a `History` of your own,
    which ends the recording, must it stand behind that one: nobody can know what follows. There,
    and where an exception may stop `fit`, `with ed_core.Recorder(...) as recorder:` around `fit`
    ends the recording instead. Steps are those of the optimizer; where it takes none, as that of a
    pair with two optimizers of its own, they are batches. What callbacks add to the logs is
    recorded where it is a number.

    Args:
        folder: the run folder to make. Fitting again with the same recorder goes on in it.
        probes: what to watch.
        reference: the fixed batch that the probes look at, field to array (samples, ...), or one
            array, the input.
        fields: for each field its `kind`, for a class the names of the `classes`, and the `axes` of
            a sample where the channels come first: `["channel", "height", "width"]`.
        every: steps from frame to frame, or None.
        share: of the training time that recording may cost.
        run: what the recording says of the run (model, data, params). With its `steps_per_epoch`
            steps are batches.

    Attributes:
        spent: what it cost in the last `fit`, or the `with` block: the `seconds`, their `share` of
            the training time, and the seconds of `preparation` before; `run.json` has it as
            `recording`.

    Raises:
        EdkitError: the folder holds another recording, or a probe does not fit the model.
    """

    lazy_logs = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        probes: Sequence[Probe],
        reference: Mapping[str, np.ndarray] | np.ndarray,
        *,
        fields: Mapping[str, Mapping[str, Any]] | None = None,
        every: int | None = None,
        share: float = SHARE,
        run: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.folder = RunFolder(Path(folder))
        self.probes = tuple(probes)
        _check_names(probes)
        self.reference = _arrays(reference)
        self.fields = guess_fields(self.reference, fields or {})
        self.every, self.share = every, share
        self.run = {"model": "", "data": "", "params": {}, **(run or {})}
        self.seconds = 0.0
        self.spent: dict[str, float] = {}
        self._opening: Sequence[tuple[str, str]] = ()
        self._capture: Capture | None = None
        self._managed = False
        self._count = StepCount(self.run.get("steps_per_epoch"))
        self._first: When = (0, 0.0)
        self._logs: Mapping[str, Any] = {}
        self._epoch = EpochScalars()
        self._history = HistoryEnd(lambda: self.model)
        self._pace = RecordingInterval(every, share=share)
        self._cost = RecordingCost()
        self._curves = LossCurves(self._count)
        # `train` makes its folder itself.
        self._own = None if self.folder.path.exists() else OwnFolder(self.folder)
        if self._own is None and run is None:
            raise EdkitError(f"{str(self.folder.path)!r} exists already: choose another folder.")

    def __enter__(self) -> "Recorder":
        """Keep recording over several calls of `fit`, to the end of the `with` block."""
        self._managed = True
        return self

    def __exit__(self, *exc: object) -> None:
        """End the recording, with a last frame if all went well."""
        error = exc[1] if isinstance(exc[1], BaseException) else None
        self.finish(failed=exc[0] is not None, error=error)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Bind the probes and take the first frame."""
        with self._cost:
            _warn_of_equal_paths(self.model)
            if self._capture is None or not self._capture.is_open:
                self._begin()
            assert self._capture is not None
            self._count.begin(self._capture.steps_done(), self.model.optimizer)
            self._history.follows = False
            self._curves.begin(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, and the step that it begins at."""
        with self._cost:
            self._epoch.write_changed(self._capture)
        self._count.begin_epoch(epoch, self.params.get("steps"))
        if self._capture is not None and not self._capture.is_open:
            self._first = self._count.when

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Take a frame if one is due."""
        assert self._capture is not None
        with self._cost:
            self._count.batch_done(batch)
            self._logs = logs or {}
            if not self._capture.is_open:
                self._open(self._capture, self._logs)
            if self._curves.due():
                self._fetch()
            if self._pace.due(self._count.step):
                self._frame(self._capture, self._logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the epoch's scalars, those of the validation among them."""
        assert self._capture is not None
        with self._cost:
            logs = logs if logs is not None else {}
            self._count.end_epoch(bool(self.model.stop_training))
            if not self._capture.is_open:
                self._open(self._capture, logs)
            self._epoch.write(self._capture, self._when(), logs)
            self._history.look(self.params, epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the last frame and close, unless a `with` block or Keras' history does it later."""
        with self._cost:
            self._epoch.write_changed(self._capture)
            self._fetch()
        if self._history.follows and not self._managed:
            self._history.call(self.params, self.finish)
        elif not self._managed:
            self.finish()

    def go_on(self, step: int, seconds: float, opening: Sequence[tuple[str, str]]) -> None:
        """Begin where a training was left that is counted in batches.

        Args:
            step: that was done.
            seconds: that it took.
            opening: events that the segment begins with, kind and text each.
        """
        self._count.step, self.seconds, self._opening = step, seconds, opening

    def note(self, kind: str, text: str) -> None:
        """Record something that happened once, after the present step; see `Event`."""
        if self._capture is None or not self._capture.is_open:
            return
        with self._cost:
            when = self._when()
            self._capture.event(when, kind, text)
            if kind in ("weight", "learning_rate"):  # shown at once, however far the next frame is
                self._capture.scalars(when, self._logs)

    def settle(self, seconds: float) -> list[int]:
        """Wait until what was recorded is on the disk.

        Args:
            seconds: to wait at most.

        Returns:
            The steps of the frames that are not there then.
        """
        if self._capture is None:
            return []
        with self._cost:
            self._fetch()
            return self._capture.settle(seconds)

    def record_end(self, model: keras.Model, when: When, scalars: Sequence[str]) -> None:
        """Take the one frame of a model whose last step was done before.

        Args:
            model: that was trained.
            when: its last step and epoch.
            scalars: the columns of what was recorded before.
        """
        self.set_model(model)
        self.set_params({})
        self._begin()
        self._first = when
        assert self._capture is not None
        self._open(self._capture, {}, scalars)
        self._count.step = when[0]

    def finish(self, failed: bool = False, error: BaseException | None = None) -> None:
        """Take the last frame and close the segment; a frame that fails leaves nothing open.

        Args:
            failed: whether the training has.
            error: what it failed of, if that is known.
        """
        self._history.give_back()
        last = None
        with self._own.ending(failed, error) if self._own else nullcontext():
            try:
                with self._cost:
                    self._epoch.write_changed(self._capture)
                    self._fetch(last=True)
                last = None if failed else self._count.when
            finally:
                capture, self._capture = self._capture, None
                if capture is not None:
                    self._close(capture, last)

    def _close(self, capture: Capture, last: When | None) -> None:
        """End the segment, with a last frame where one is wanted, and note what all of it cost."""
        try:
            with self._cost:
                capture.close(last)
        finally:
            self.seconds = capture.seconds
            if capture.is_open:
                self.spent = self._cost.spent(capture.written)
                with suppress(OSError, EdkitError):  # whoever ends the run says what is wrong
                    self.folder.update(recording=self.spent)

    def _begin(self) -> None:
        self._cost.restart()
        self._facts = field_facts(self.model, self.fields, self.reference)
        self._capture = Capture(lambda: self.model, self.probes, self.reference, self.seconds)
        if self._own is not None:
            self.run["model"] = self.run["model"] or self.model.name
            self._own.begin(self.run)

    def _open(self, capture: Capture, logs: Mapping[str, Any], columns: Sequence[str] = ()) -> None:
        """Open the segment once the names of the scalars are known: after the first step."""
        run = _described(self.run, self.params)
        segments, first = self.folder.recording, self._first
        curves = self._curves.names
        capture.open(segments, run, self._facts, logs, first, columns=columns, curves=curves)
        for kind, text in self._opening:
            capture.event(self._first, kind, text)
        self._pace = RecordingInterval(self.every, self._first[0], self.share)
        self._cost.prepared()

    def _fetch(self, last: bool = False) -> None:
        """Write the losses of the steps since the last time."""
        if self._capture is not None and self._capture.is_open and self._curves.names:
            self._cost.wait(self._capture.steps_done)
            self._curves.write(self._capture, self.model, last)

    def _when(self) -> When:
        """Return the step that the optimizer says; on jax this fetches the model."""
        assert self._capture is not None
        self._count.correct(self._cost.wait(self._capture.steps_done))
        return self._count.when

    def _frame(self, capture: Capture, logs: Mapping[str, Any]) -> None:
        """Take scalars and a frame, and settle when the next is due."""
        when = self._when()
        before = self._cost.now
        capture.scalars(when, logs)
        capture.frame(when)
        # This frame is being written still, so the one before it tells what writing costs.
        cost = self._cost.now - before + capture.writing
        self._pace.seen = when[0]
        self._pace.took(cost, self._cost.now + capture.written, self._cost.passed, capture.seconds)


def _described(run: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recording says of its run, with the parameters of `fit` and the backend."""
    steps = run.get("steps_per_epoch", params.get("steps"))
    fit = {"epochs": params.get("epochs"), "steps_per_epoch": steps}
    return {**run, "backend": keras.config.backend(), **fit}


def _differ(numbers: Mapping[str, float], others: Mapping[str, float]) -> bool:
    """Tell whether logs have other names, or other numbers."""
    same = np.array_equal([*numbers.values()], [*others.values()], equal_nan=True)
    return numbers.keys() != others.keys() or not same


def _warn_of_equal_paths(model: Any) -> None:
    """Warn where Keras will not zero all gradients of somebody's own model on PyTorch."""
    if keras.config.backend() != "torch" or isinstance(model, Objective):
        return
    if paths := equal_paths(model.trainable_variables):
        warnings.warn(
            f"on torch Keras does not zero the gradients of variables with one path, so they add "
            f"up over all steps: {', '.join(paths[:3])}{', ...' * (len(paths) > 3)}. Give their "
            "layers different names.",
            stacklevel=3,
        )


def _arrays(reference: Any) -> dict[str, np.ndarray]:
    """Return the reference as numpy arrays by field; raises EdkitError if it is none."""
    fields = reference if isinstance(reference, Mapping) else {"input": reference}
    arrays = {}
    for name, values in fields.items():
        array = ops.convert_to_numpy(values) if ops.is_tensor(values) else values
        if not hasattr(array, "shape") or not hasattr(array, "dtype") or not len(array.shape):
            where = f"field {name!r} is" if isinstance(reference, Mapping) else "received"
            raise EdkitError(
                f"reference: expected an array (samples, ...), or a dict of them by field; {where} "
                f"{type(values).__name__}: give reference=x or reference={{'image': x}}."
            )
        arrays[str(name)] = np.asarray(array)
        if array.dtype.kind not in "biuf" or not len(array):
            raise EdkitError(
                f"reference: field {name!r} is {array.dtype} of shape {tuple(array.shape)}, "
                "expected at least one sample of numbers."
            )
    if not arrays:
        raise EdkitError("reference: expected at least one field, received none.")
    return arrays


def _check_names(probes: Sequence[Probe]) -> None:
    names = [probe.name for probe in probes]
    for name in names:
        if names.count(name) > 1:
            raise EdkitError(f"two probes are named {name!r}: the recording needs two names.")
