"""Callback list whose logs are fetched from the device only where a callback reads them."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras

_DEFAULTS = ("on_batch_end", "on_train_batch_end", "on_test_batch_end")


class StepLogs(Mapping[str, Any]):
    """Logs of one step, which are fetched when the first of them is read.

    Args:
        logs: name to a tensor, a number, or a dict of these, as a step of Keras returns them.
    """

    def __init__(self, logs: Mapping[str, Any] | None) -> None:
        self._raw = logs or {}
        self._fetched: dict[str, Any] | None = None

    @property
    def fetched(self) -> dict[str, Any]:
        """The logs as Keras hands them to a callback: numbers by name, in order."""
        if self._fetched is None:
            self._fetched = _numbers(self._raw)
        return self._fetched

    def __bool__(self) -> bool:
        return bool(self._raw)

    def __len__(self) -> int:
        return len(self.fetched)

    def __iter__(self) -> Iterator[str]:
        return iter(self.fetched)

    def __getitem__(self, name: str) -> Any:
        return self.fetched[name]


class LazyCallbackList(keras.callbacks.CallbackList):
    """Calls callbacks as Keras does, without turning all logs into numbers at every step.

    That waits until the device has done the step, and nothing is prepared meanwhile. A callback
    with the attribute `lazy_logs` is given `StepLogs`; any other that has something to do at the
    end of a batch is given numbers in a dict, and has every step waited for.
    """

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Call every callback, here and now."""
        self._call("on_train_batch_end", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Call every callback, here and now."""
        self._call("on_test_batch_end", batch, logs)

    def _call(self, name: str, batch: int, logs: Any) -> None:
        lazy = StepLogs(logs)
        for callback in self.callbacks:
            method = getattr(callback, name)
            if getattr(callback, "lazy_logs", False):
                method(batch, lazy)
            elif not (_is_default(method) and _is_default(callback.on_batch_end)):
                method(batch, logs=dict(lazy))


def _is_default(method: Any) -> bool:
    """Return whether a method of a callback is Keras' own, which does nothing."""
    function = getattr(method, "__func__", None)
    return any(function is getattr(keras.callbacks.Callback, name) for name in _DEFAULTS)


def _numbers(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the logs as numbers where they are such, those of nested dicts among them."""
    numbers: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        if isinstance(value, Mapping):
            numbers.update(_numbers(value))
            continue
        try:
            numbers[name] = float(
                keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
            )
        except (TypeError, ValueError):
            numbers[name] = value
    return numbers
