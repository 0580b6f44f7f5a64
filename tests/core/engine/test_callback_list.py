"""Callbacks wait for the device only where they read the logs, and read what Keras would say."""

from typing import Any

import keras
import numpy as np
import pytest

from ed_core.engine.callback_list import LazyCallbackList, StepLogs
from ed_core.training import callbacks as of_train

pytestmark = pytest.mark.backend


class Watch(keras.callbacks.Callback):
    """Keeps what it is given at the end of every batch, validated ones included."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append((batch, logs))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append((batch, logs))


class Lazy(Watch):
    lazy_logs = True


def fitted(*callbacks: Any, lazily: bool) -> Any:
    """Return a small model, fitted with the callbacks in our list or in Keras' own."""
    keras.utils.set_random_seed(5)
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    net.compile("sgd", "mse", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
    steps = {"epochs": 2, "steps": 3}
    ours = LazyCallbackList([*callbacks], add_history=True, model=net, verbose=0, **steps)
    net.fit(x, x[:, :1], batch_size=4, epochs=2, verbose=0, validation_data=(x, x[:, :1]),
            callbacks=ours if lazily else [*callbacks])  # fmt: skip
    return net


def test_every_callback_reads_what_keras_would_say() -> None:
    kinds = (Watch(), Watch(), Lazy())
    shown = [fitted(one, lazily=one is not kinds[0]) for one in kinds]
    expected = kinds[0].seen
    assert len(expected) == 2 * (3 + 3)
    for one in kinds[1:]:
        assert [(batch, {**logs}) for batch, logs in one.seen] == expected
    assert all(type(logs) is dict for _, logs in kinds[1].seen)  # somebody's own may change it
    assert all(isinstance(logs, StepLogs) for _, logs in kinds[2].seen)
    assert shown[1].history.history == shown[0].history.history
    assert kinds[1].params["steps"] == 3
    assert kinds[1].params["epochs"] == 2


@pytest.mark.once
def test_nothing_is_fetched_for_who_does_not_read() -> None:
    fetched: list[str] = []

    class Number:
        def __init__(self, name: str) -> None:
            self.name = name

        def __float__(self) -> float:
            fetched.append(self.name)
            return 1.0

    one, plain = Lazy(), keras.callbacks.History()
    watched = LazyCallbackList([one, plain])
    raw = {"loss": Number("loss"), "of": {"a": Number("a")}}
    watched.on_train_batch_end(0, raw)
    watched.on_test_batch_end(0, raw)
    logs = one.seen[0][1]
    assert logs
    assert fetched == []
    assert {**logs, **logs} == {"loss": 1.0, "a": 1.0}
    assert sorted(fetched) == ["a", "loss"], "all at once, and once"
    reads = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    watched = LazyCallbackList([one, reads])
    watched.on_train_batch_end(0, raw)
    assert len(fetched) == 4
    assert not StepLogs({})


@pytest.mark.once
def test_ours_do_not_wait() -> None:
    from ed_core.cli.progress import _Watcher
    from ed_core.probes.recorder import Recorder
    from ed_core.training.steering import Steering

    for kind in (of_train.Checkpointer, Steering, Recorder, _Watcher):
        assert kind.lazy_logs, kind
    own = [getattr(of_train, name) for name in ("Order", "WarmUp")]
    default = keras.callbacks.Callback.on_train_batch_end
    assert all(kind.on_train_batch_end is default for kind in own)
