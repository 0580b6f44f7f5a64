"""Live decoding for the window: `python -m ed_core.decoding.worker RUN [--plugin FILE ...]`.

A separate process, so that neither the window nor training ever waits for Keras. Requests come on
its standard input and answers go to its standard output, as messages of `ed_core.decoding.wire`;
all other output goes to its standard error. It ends as soon as its input ends.

It first sends `{"is": "ready", "size": numbers of a code, "classes": [name, ...], "encodes": bool,
"backend": name}`, or `{"is": "unable", "why": reason}`. Then it serves requests, which all have
`ask`, `topic` (any text) and `number`:

    ask       more                                  answer
    decode    step, label, codes (n, size)          outputs (n, ...)
    encode    step, samples [row, ...]              codes (n, size), of the reference batch
    embed     codes (n, size)                       points (n, 2), by t-SNE; needs no model

An answer repeats these three and has `step`, that of the weights in use (null: the final ones of a
run without checkpoints), or `why` there is none. Only the newest request of a topic is
served, and the newest topic first.
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ed_core.decoding.wire import Message, Unpacker, WireError, pack
from ed_core.engine import choose_backend, installed_backends, use_one_thread
from ed_core.engine.compile_cache import keep_compiled
from ed_core.errors import EdkitError, one_line
from ed_core.plugins.registry import load_plugin_file
from ed_core.recording import Recording, RunFolder

MOST_CODES = 64  # of one request to decode
MOST_POINTS = 5000  # of one t-SNE, which then takes half a minute
_TOPICS = 16  # that wait at most
_LAST = 2**62  # a step that no run reaches
_BEHIND = 10  # niceness of t-SNE, which takes seconds: training has priority

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


class Mailbox:
    """Waiting requests, one a topic; the newest is taken first."""

    def __init__(self) -> None:
        self._bell = threading.Condition()
        self._waiting: dict[str, Message] = {}

    def put(self, request: Message) -> None:
        """Store a request in place of the waiting one with the same topic."""
        topic = request.facts["topic"]
        with self._bell:
            self._waiting.pop(topic, None)
            self._waiting[topic] = request
            while len(self._waiting) > _TOPICS:
                del self._waiting[next(iter(self._waiting))]
            self._bell.notify()

    def take(self) -> Message:
        """Return the newest request; wait for one if there is none."""
        with self._bell:
            while not self._waiting:
                self._bell.wait()
            return self._waiting.popitem()[1]


class DecodedRun:
    """Model of a run with the weights of a chosen step; made once the backend is settled."""

    def __init__(self, folder: RunFolder, info: Mapping[str, Any]) -> None:
        from ed_core.nn.decoder import find_decoder
        from ed_core.runs.checkpoints import newest_first
        from ed_core.runs.nearest import NearestWeights
        from ed_core.runs.rebuilding import fields_of, rebuild, stored_shapes

        self._folder = folder
        stored = stored_shapes([*newest_first(folder.checkpoints), folder.weights])
        self._model = rebuild(info, stored)
        self._decoder = find_decoder(self._model, fields_of(info))
        self._size = int(np.prod(self._decoder.shape))
        self._weights = NearestWeights(folder, self._model)
        self._reference: dict[str, np.ndarray] = {}

    def facts(self) -> dict[str, Any]:
        """Return the decoder's facts for the window."""
        return {
            "size": self._size,
            "classes": list(self._decoder.classes),
            "encodes": any(layer.name == "encoder" for layer in self._model.layers),
        }

    def decode(self, request: Message) -> Answer:
        """Return the decoded outputs of codes."""
        codes = request.arrays.get("codes", np.empty(0))
        label = request.facts.get("label", 0)
        if codes.shape != (len(codes), self._size) or not 0 < len(codes) <= MOST_CODES:
            raise EdkitError(
                f"expected codes (1..{MOST_CODES}, {self._size}), received {codes.shape}."
            )
        if type(label) is not int or not 0 <= label < max(len(self._decoder.classes), 1):
            raise EdkitError(f"there is no class {label!r}.")
        step = self._weights.take(_step(request))
        return {"step": step}, {"outputs": self._decoder(codes, label)}

    def encode(self, request: Message) -> Answer:
        """Return the codes of samples of the reference batch."""
        from ed_core.probes import encoder_of, flat

        if not self._reference:
            with Recording(self._folder.path) as recording:
                self._reference = recording.reference()
        rows = request.facts.get("samples")
        count = min((len(array) for array in self._reference.values()), default=0)
        if not isinstance(rows, list) or not all(type(r) is int and 0 <= r < count for r in rows):
            raise EdkitError(f"expected samples from 0 to {count - 1}, received {str(rows)[:60]}.")
        step = self._weights.take(_step(request))
        batch = {name: array[rows] for name, array in self._reference.items()}
        return {"step": step}, {"codes": flat(encoder_of(self._model)(batch))}


def _step(request: Message) -> int:
    step = request.facts.get("step")
    return step if type(step) is int else _LAST


def embed(request: Message) -> Answer:
    """Return points such that neighbouring codes stay neighbours."""
    from ed_core.decoding.embedding import embedded

    codes = request.arrays.get("codes", np.empty(0))
    if codes.ndim != 2 or not 0 < len(codes) <= MOST_POINTS or not np.isfinite(codes).all():
        raise EdkitError(f"expected finite codes (1..{MOST_POINTS}, size), got {codes.shape}.")
    return {}, {"points": embedded(codes)}


def subject_of(path: str, plugins: Sequence[str]) -> DecodedRun:
    """Rebuild the model of a run on its backend, or on another that is installed.

    Raises:
        EdkitError: it cannot be rebuilt; the message says why.
    """
    folder = RunFolder.open(path)
    info = folder.read()
    if not info.get("model") or "fields" not in info:
        raise EdkitError("the model was not built by edkit.")
    trained = info.get("backend")
    installed = installed_backends()
    keep_compiled(choose_backend(trained if trained in installed else next(iter(installed), None)))
    for plugin in plugins:
        load_plugin_file(plugin)
    from ed_core.runs.rebuilding import check_info

    check_info(info, path)
    return DecodedRun(folder, info)


class Worker:
    """The process: one thread reads, one runs Keras, one runs t-SNE.

    Args:
        source: the file descriptor of requests.
        sink: that of answers.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = os.fdopen(sink, "wb")
        self._lock = threading.Lock()
        self._boxes = {"model": Mailbox(), "embed": Mailbox()}

    def run(self, path: str, plugins: Sequence[str]) -> None:
        """Serve forever; the reading thread ends the process."""
        for target in (self._read, self._embed):
            threading.Thread(target=target, daemon=True).start()
        asks: dict[str, Callable[[Message], Answer]] = {}
        try:
            subject = subject_of(path, plugins)
            asks = {"decode": subject.decode, "encode": subject.encode}
            backend = os.environ["KERAS_BACKEND"]
            self._send({"is": "ready", "backend": backend, **subject.facts()})
        except Exception as error:  # a foreign plugin may fail in any way
            self._send({"is": "unable", "why": _reason(error)})
        self._serve("model", asks)

    def _read(self) -> None:
        unpacker = Unpacker()
        try:
            while data := os.read(self._source, 2**16):
                for message in unpacker.feed(data):
                    facts = message.facts
                    if not isinstance(facts.get("topic"), str) or "number" not in facts:
                        raise WireError("a request has no topic or no number.")
                    self._boxes["embed" if facts.get("ask") == "embed" else "model"].put(message)
        except WireError as error:
            print(f"edkit: {error}", file=sys.stderr, flush=True)
            os._exit(error.status)
        os._exit(0)  # at once: the others may be deep in a compiler, or in t-SNE

    def _embed(self) -> None:
        if sys.platform == "linux":  # threads have priorities of their own on Linux only
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BEHIND)
        self._serve("embed", {"embed": embed})

    def _serve(self, box: str, asks: Mapping[str, Callable[[Message], Answer]]) -> None:
        while True:
            request = self._boxes[box].take()
            identity = {name: request.facts.get(name) for name in ("ask", "topic", "number")}
            try:
                ask = asks.get(str(identity["ask"]))
                if ask is None:
                    raise EdkitError(f"unknown request {str(identity['ask'])[:20]!r}.")
                facts, arrays = ask(request)
                self._send({"is": "answer", **identity, **facts}, arrays)
            except Exception as error:  # the next request may succeed, whatever failed here
                self._send({"is": "answer", **identity, "why": _reason(error)})

    def _send(self, facts: dict[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
        try:
            with self._lock:
                self._sink.write(pack(facts, arrays))
                self._sink.flush()
        except OSError:  # the window is gone
            os._exit(0)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, EdkitError) else one_line(error)


def main() -> None:
    """Serve the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--plugin", action="append", default=[])
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the window handles Ctrl-C
    use_one_thread()  # the others are for training
    sink = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not come between the messages
    Worker(0, sink).run(arguments.run, arguments.plugin)


if __name__ == "__main__":
    main()
