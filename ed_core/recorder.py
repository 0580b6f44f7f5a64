"""The Keras callback that records what a model's probes see while it trains."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ed_core.capture import Capture, When
from ed_core.engine.gradients import equal_paths
from ed_core.errors import EdkitError
from ed_core.objective import Objective
from ed_core.own_folder import OwnFolder
from ed_core.pace import Pace
from ed_core.probes import Probe
from ed_core.recording import RunFolder


class Recorder(keras.callbacks.Callback):
    """Records probes and scalars of any Keras model into a run folder, while `fit` runs.

        model.fit(..., callbacks=[ed_core.Recorder("runs/mine", probes=[...], reference=batch)])

    A frame is taken before the first step, after the last one, and in between as often as costs
    at most 2 % of the training time; the interval grows with the age of the run, so that the
    file stays bounded. `every` takes one every so many steps instead. Where `fit` may be stopped by
    an exception, `with ed_core.Recorder(...) as recorder:` around it ends the recording as well.

    Args:
        folder: the run folder to make. Fitting again with the same recorder goes on in it.
        probes: what to watch.
        reference: the fixed batch that the probes look at, field to array (samples, ...), or one
            array, the input.
        fields: for each field its `kind` and, for a class, the names of the `classes`.
        every: steps from frame to frame, or None.
        run: what the recording says of the run (model, data, params).

    Raises:
        EdkitError: the folder holds another recording, or a probe does not fit the model.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        probes: Sequence[Probe],
        reference: Mapping[str, np.ndarray] | np.ndarray,
        *,
        fields: Mapping[str, Mapping[str, Any]] | None = None,
        every: int | None = None,
        run: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.folder = RunFolder(Path(folder))
        self.probes = tuple(probes)
        _check_names(probes)
        self.reference = dict(reference) if isinstance(reference, Mapping) else {"input": reference}
        self.fields = {**guess_fields(self.reference), **(fields or {})}
        self.every = every
        self.run = {"model": "", "data": "", "params": {}, **(run or {})}
        self.seconds = 0.0
        self._capture: Capture | None = None
        self._managed = False
        self._step = self._before_epoch = self._epoch = 0
        self._logs: Mapping[str, float] = {}
        self._pace = Pace(every)
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
        self.finish(failed=exc[0] is not None)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Bind the probes and take the first frame."""
        _warn_of_equal_paths(self.model)
        if self._capture is None or not self._capture.is_open:
            self._begin()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch, and the step that it begins at."""
        self._epoch = epoch
        self._before_epoch = self._step

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Take a frame if one is due."""
        assert self._capture is not None
        # `batch` grows by several where `steps_per_execution` is more than 1.
        self._step = self._before_epoch + batch + 1
        self._logs = logs or {}
        if not self._capture.is_open:
            self._open(self._capture, logs or {})
        if self._pace.due(self._step):
            self._frame(self._capture, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Write the epoch's scalars, those of the validation among them."""
        assert self._capture is not None
        self._epoch = epoch + 1
        self._capture.scalars(self._when(self._step), logs or {})

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Take the last frame and close, unless a `with` block does."""
        if not self._managed:
            self.finish()

    def note(self, kind: str, text: str) -> None:
        """Record something that happened once, after the present step; see `Event`."""
        if self._capture is None or not self._capture.is_open:
            return
        when = self._when(self._step)
        self._capture.event(when, kind, text)
        if kind in ("weight", "learning_rate"):  # shown at once, however far the next frame is
            self._capture.scalars(when, self._logs)

    def finish(self, failed: bool = False) -> None:
        """Take the last frame and close the segment; a frame that fails leaves nothing open."""
        capture, self._capture = self._capture, None
        status = "failed"
        try:
            if capture is not None:
                capture.close(None if failed else self._when(self._step))
            status = "failed" if failed else "finished"
        finally:
            if capture is not None:
                self.seconds = capture.seconds
            if self._own is not None:
                self._own.end(status)

    def _begin(self) -> None:
        self._epoch = 0
        self._capture = Capture(lambda: self.model, self.probes, self.reference, self.seconds)
        self._step = self._capture.start
        if self._own is not None:
            self.run["model"] = self.run["model"] or self.model.name
            self._own.begin(self.run)

    def _open(self, capture: Capture, logs: Mapping[str, float]) -> None:
        """Open the segment once the names of the scalars are known: after the first step."""
        run = {
            **self.run,
            "backend": keras.config.backend(),
            "epochs": self.params.get("epochs"),
            "steps_per_epoch": self.run.get("steps_per_epoch", self.params.get("steps")),
            "start_step": capture.start,
        }
        when = self._when(capture.start)
        capture.open(self.folder.recording, run, self.fields, list(logs), when)
        self._pace = Pace(self.every)

    def _when(self, step: int) -> When:
        steps = self.run.get("steps_per_epoch") or self.params.get("steps") or 0
        return step, step / steps if steps else float(self._epoch)

    def _frame(self, capture: Capture, logs: Mapping[str, float]) -> None:
        """Take scalars and a frame, and settle when the next is due."""
        start = time.monotonic()
        when = self._when(self._step)
        capture.scalars(when, logs)
        capture.frame(when)
        # This frame is being written still, so the one before it tells what writing costs.
        self._pace.took(time.monotonic() - start + capture.writing, capture.seconds)


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


def guess_fields(reference: Mapping[str, np.ndarray]) -> dict[str, dict[str, Any]]:
    """Return what each field seems to be, from its shape and type."""
    guessed: dict[str, dict[str, Any]] = {}
    for name, array in reference.items():
        shape = list(array.shape[1:])
        kind = {1: "value", 2: "signal", 3: "image"}.get(len(shape), "value")
        if not shape:
            kind = "class" if array.dtype.kind in "iu" else "value"
        guessed[name] = {"kind": kind, "shape": shape, "classes": []}
    return guessed


def _check_names(probes: Sequence[Probe]) -> None:
    names = [probe.name for probe in probes]
    for name in names:
        if names.count(name) > 1:
            raise EdkitError(f"two probes are named {name!r}: the recording needs two names.")
