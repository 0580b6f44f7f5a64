"""Callback that carries out requests to a running training."""

import time
import warnings
from collections.abc import Callable
from typing import ClassVar

import keras

from ed_core.nn.optimizers import ScaledSchedule
from ed_core.nn.submodels import to_numpy
from ed_core.recording.control import Inbox, Request
from ed_core.training.callbacks import Checkpointer, Note, WarmUp

_LOOK = 0.2  # seconds between two looks for requests
_IN_VALIDATION = ("pause", "resume", "stop")  # the others change what is being measured


class Steering(keras.callbacks.Callback):
    """Obeys `control.json` between two steps: pause, stop, save, learning rate, weights of heads.

    While an epoch is validated it pauses as well. For what else is asked, and for a signal, the
    validation is brought to its end. It comes after the Checkpointer, whose checkpoints keep what
    was set by hand.

    Args:
        inbox: the requests.
        rate: what the optimizer takes its learning rate from.
        checkpointer: saves, and knows whether a signal asks to stop.
        warm_up: lets go of a weight that is set by hand.
        epochs: of the training in all.
        note: is told of everything that was done: its kind of event and a text for people.
    """

    lazy_logs = True

    def __init__(
        self,
        inbox: Inbox,
        rate: ScaledSchedule,
        checkpointer: Checkpointer,
        warm_up: WarmUp,
        *,
        epochs: int,
        note: Note,
    ) -> None:
        super().__init__()
        self._inbox = inbox
        self._rate = rate
        self._checkpointer = checkpointer
        self._warm_up = warm_up
        self._epochs = epochs
        self._note = note
        self._epoch = 0
        self._asked: list[Request] = []
        self._paused = self._stopping = False
        self._next = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look for requests, now and then; after an epoch's last batch, when it has ended."""
        if time.monotonic() >= self._next and not self._checkpointer.at_epoch_end:
            self._look()

    def on_test_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look, now and then, for what can be done while an epoch is validated."""
        if time.monotonic() >= self._next:
            self._look(validating=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Look for requests, and stop if one asked for it; the last epoch ends by itself."""
        self._look()
        if self._stopping and epoch + 1 < self._epochs:
            self._checkpointer.stop()

    def _look(self, validating: bool = False) -> None:
        self._obey(validating)
        while self._paused:
            if validating and (self._asked or self._checkpointer.stop_asked):
                break  # what is asked is done at the end of the epoch, once its loss is known
            time.sleep(_LOOK)
            if not validating:
                self._checkpointer.stop_if_asked()
            self._obey(validating)
        self._next = time.monotonic() + _LOOK

    def _obey(self, validating: bool) -> None:
        self._asked += self._inbox.news()
        due = [r for r in self._asked if not validating or r.kind in _IN_VALIDATION]
        self._asked = [request for request in self._asked if request not in due]
        for request in due:
            self._acts[request.kind](self, request)

    def _pause(self, request: Request) -> None:
        self._paused = True
        self._note("pause", "paused")

    def _resume(self, request: Request) -> None:
        self._paused = False
        self._note("resume", "training goes on")

    def _stop(self, request: Request) -> None:
        self._stopping = True
        self._note("stop", f"training stops after epoch {self._epoch + 1}")

    def _save(self, request: Request) -> None:
        self._note("save", "a checkpoint was asked for")
        self._checkpointer.save()

    def _weight(self, request: Request) -> None:
        assert request.head is not None
        weight = self.model.head_weights[request.head]  # on jax, touching the model fetches it
        before = float(to_numpy(weight))
        weight.assign(request.value)
        self._warm_up.schedules.pop(request.head, None)
        self._checkpointer.held.add(request.head)
        self._checkpointer.forget_best()
        self._note("weight", f"weight of {request.head} {before:.4g} -> {request.value:.4g}")

    def _learning_rate(self, request: Request) -> None:
        assert request.value is not None
        optimizer, factor = self.model.optimizer, self._rate.factor
        before = float(to_numpy(optimizer.learning_rate))
        planned = float(to_numpy(self._rate.schedule(optimizer.iterations)))
        self._rate.factor = request.value / planned if planned > 0 else factor
        after = float(to_numpy(optimizer.learning_rate))
        if abs(after - request.value) > 1e-3 * request.value:
            self._rate.factor = factor
            warnings.warn(
                "the learning rate cannot be set: the optimizer does not follow the schedule, "
                "or the schedule has come to its end.",
                stacklevel=2,
            )
            return
        self._checkpointer.factor = self._rate.factor
        self.model.make_train_function(force=True)
        self._note("learning_rate", f"learning rate {before:.4g} -> {after:.4g}")

    _acts: ClassVar[dict[str, Callable[["Steering", Request], None]]] = {
        "pause": _pause,
        "resume": _resume,
        "stop": _stop,
        "save": _save,
        "weight": _weight,
        "learning_rate": _learning_rate,
    }
