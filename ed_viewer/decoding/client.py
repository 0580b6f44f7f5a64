"""Client of the decoding process, started on demand and never waited for."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from ed_core.decoding.wire import Message, pack
from ed_core.plugins.registry import PLUGIN_FILES
from ed_viewer.decoding.process import DecoderProcess
from ed_viewer.reading.messages import Arrays

_AGAIN = "Drag to restart it."


class DecoderState(Enum):
    """State of the decoding process."""

    IDLE = "idle"
    STARTING = "starting"
    READY = "ready"
    UNABLE = "unable"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, eq=False)
class DecoderAnswer:
    """Answer of the decoding process.

    Attributes:
        ask, topic: of the request.
        step: of the weights that were used, None for the final ones of a run without checkpoints.
        arrays: `outputs`, `codes` or `points`.
        why: there are no arrays, or "".
    """

    ask: str
    topic: str
    step: int | None
    arrays: Arrays
    why: str


def worker_command(path: Path) -> list[str]:
    """Return the command of the process for a run, with our plugin files."""
    plugins = [part for file in PLUGIN_FILES for part in ("--plugin", file)]
    # -P: without it, Python looks for modules in the present folder first, which may hold any.
    return [sys.executable, "-P", "-m", "ed_core.decoding.worker", str(path), *plugins]


class DecoderClient(QObject):
    """Client of one run's decoder; see `ed_core.decoding.worker` for requests and answers.

    Requests of one topic replace one another. A process that ended by itself is started again by
    the next request, unless it ended without having answered anything twice in a row.

    Signals:
        changed: the state, or what there is to say of it.
        answered: a DecoderAnswer.

    Attributes:
        state: how far the process has come.
        words: why there is no answer, for people, or "".
        size: numbers of a code, 0 while it is not known.
        classes: names of the classes that the decoder wants to be told one of.
        encodes: whether it can encode samples of the reference batch.
        step: where the cursor is; the weights nearest to it are used.
        process: its process.
    """

    changed = Signal()
    answered = Signal(object)

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.state = DecoderState.IDLE
        self.words = ""
        self.size = 0
        self.classes: tuple[str, ...] = ()
        self.encodes = False
        self.step = 0
        self.process = DecoderProcess(self)
        self.process.came.connect(self._take)
        self.process.ended.connect(self._on_end)
        self._failures = 0
        self._over = False
        self._number = 0
        self._newest: dict[str, int] = {}

    @property
    def usable(self) -> bool:
        """Whether a request to decode may be answered, now or once it has started (again)."""
        return self.state is not DecoderState.UNABLE

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come, or the process to say what it can."""
        return self.process.running and (self.state is DecoderState.STARTING or bool(self._newest))

    def start(self) -> None:
        """Start the process, unless it runs or was stopped."""
        if not self.process.running and not self._over:
            self._newest = {}
            self._become(DecoderState.STARTING, "Starting the decoder …")
            self.process.start(worker_command(self.path))

    def stop(self, wait: bool = False) -> None:
        """End the process at once, it has nothing to lose; may wait until it is gone.

        It is not started again: a panel that is drawn a last time would ask for another one.
        """
        self._over = True
        self.process.stop(wait)
        self.state = DecoderState.IDLE

    def decode(self, topic: str, codes: np.ndarray, label: int = 0) -> None:
        """Ask for the outputs of codes (n, size), n at most 64."""
        if self.state is not DecoderState.UNABLE:
            self._ask("decode", topic, {"label": label}, {"codes": codes})

    def encode(self, topic: str, samples: Sequence[int]) -> None:
        """Ask for the codes of samples of the reference batch."""
        if self.state is not DecoderState.UNABLE:
            self._ask("encode", topic, {"samples": list(samples)}, {})

    def embed(self, topic: str, codes: np.ndarray) -> None:
        """Ask for a t-SNE of codes (n, size), n at most 5000; takes seconds."""
        self._ask("embed", topic, {}, {"codes": codes})

    def _ask(
        self, ask: str, topic: str, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> None:
        if not self.process.running:
            if self._failures > 1:
                return
            self.start()
        self._number += 1
        self._newest[topic] = self._number
        facts_of_request = {
            "ask": ask,
            "topic": topic,
            "number": self._number,
            "step": self.step,
            **facts,
        }
        self.process.send(pack(facts_of_request, arrays))

    def _take(self, message: Message) -> None:
        facts = message.facts
        if facts.get("is") == "ready":
            self.size = int(facts["size"])
            self.classes = tuple(str(name) for name in facts["classes"])
            self.encodes = bool(facts["encodes"])
            self._become(DecoderState.READY, "")
        elif facts.get("is") == "unable":
            self._become(DecoderState.UNABLE, str(facts.get("why")))
        else:
            topic = str(facts.get("topic"))
            self._failures = 0
            if facts.get("number") == self._newest.get(topic):
                del self._newest[topic]
            step = facts.get("step")
            self.answered.emit(
                DecoderAnswer(
                    str(facts.get("ask")),
                    topic,
                    step if isinstance(step, int) else None,
                    dict(message.arrays),
                    str(facts.get("why", "")),
                )
            )
        self.process.expect(bool(self._newest))

    def _on_end(self, why: str) -> None:
        self._failures += 1
        if self._failures > 1:
            self._become(DecoderState.UNABLE, f"its process ended twice: {why}")
        else:
            self._become(DecoderState.ENDED, f"The decoder's process ended ({why}). {_AGAIN}")

    def _become(self, state: DecoderState, words: str) -> None:
        self.state, self.words = state, words
        self.changed.emit()
