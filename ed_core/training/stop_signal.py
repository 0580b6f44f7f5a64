"""Stop signals: Ctrl-C, SIGTERM and a closed terminal let training stop resumably."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no last one
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


@dataclass(slots=True)
class StopSignal:
    """The number of the signal that asks to stop, 0 while none does."""

    number: int = 0


@contextmanager
def graceful() -> Iterator[StopSignal]:
    """Note signals instead of ending by them; a second Ctrl-C ends at once.

    Only the main thread can; in another one signals do what they did. What is ignored, as `nohup`
    has it of a closed terminal, goes on being ignored.
    """
    stop = StopSignal()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, frame: Any) -> None:
        stop.number = number
        if signal.SIGINT in before:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    heeded = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
