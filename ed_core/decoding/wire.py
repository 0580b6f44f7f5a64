"""Messages through a pipe between the window and its decoding process.

One message is, all numbers little-endian:

    4 bytes     b"edk1"
    4 bytes     the length of the JSON, unsigned
    JSON        an object in UTF-8; its `arrays` maps the name of each array to its shape
    numbers     the float32 values of these arrays, in C order, one array after the other

`ed_core.decoding.worker` describes the objects. Nothing in a message is ever executed.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from ed_core.errors import EdkitError

MAGIC = b"edk1"
MAX_JSON = 2**20  # bytes
MAX_VALUES = 2**24  # numbers of one message
_HEAD = struct.Struct("<4sI")
_NUMBER = np.dtype("<f4")


class WireError(EdkitError):
    """Received bytes that are no message; the rest of the stream is unreadable."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """Facts, plain JSON, and arrays of float32 by name."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def pack(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """Return the bytes of a message; arrays are converted to float32."""
    parts = {name: np.ascontiguousarray(array, _NUMBER) for name, array in (arrays or {}).items()}
    shapes = {name: np.shape(array) for name, array in (arrays or {}).items()}
    text = json.dumps({**facts, "arrays": shapes}, allow_nan=False).encode()
    return b"".join(
        (_HEAD.pack(MAGIC, len(text)), text, *(part.tobytes() for part in parts.values()))
    )


class Unpacker:
    """Incremental parser of bytes into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._facts: tuple[dict[str, Any], dict[str, tuple[int, ...]]] | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages complete by now; raise WireError for bytes that are no message."""
        self._bytes += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if self._facts is None and not self._read_facts():
            return None
        assert self._facts is not None
        facts, shapes = self._facts
        size = sum(map(prod, shapes.values())) * _NUMBER.itemsize
        if len(self._bytes) < size:
            return None
        values = np.frombuffer(self._bytes[:size], _NUMBER).astype(np.float32)
        del self._bytes[:size]
        self._facts = None
        arrays, first = {}, 0
        for name, shape in shapes.items():
            arrays[name] = values[first : first + prod(shape)].reshape(shape)
            first += prod(shape)
        return Message(facts, arrays)

    def _read_facts(self) -> bool:
        """Read the head and the JSON; return whether they have arrived."""
        if len(self._bytes) < _HEAD.size:
            return False
        magic, length = _HEAD.unpack_from(self._bytes)
        if magic != MAGIC:
            raise WireError(f"expected a message, received the bytes {bytes(magic)!r}.")
        if length > MAX_JSON:
            raise WireError(f"a message says {length} bytes of JSON, at most {MAX_JSON} may come.")
        end = _HEAD.size + length
        if len(self._bytes) < end:
            return False
        self._facts = _facts(bytes(self._bytes[_HEAD.size : end]))
        del self._bytes[:end]
        return True


def _facts(text: bytes) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    try:
        facts = json.loads(text)
        shapes = {name: tuple(shape) for name, shape in facts.pop("arrays").items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"a message is not what it must be: {str(error)[:100]}.") from error
    sides = [side for shape in shapes.values() for side in shape]
    whole = all(type(side) is int and 0 <= side <= MAX_VALUES for side in sides)
    if not whole or sum(map(prod, shapes.values())) > MAX_VALUES:
        raise WireError(f"a message says arrays of the shapes {str(shapes)[:100]}.")
    return facts, shapes
