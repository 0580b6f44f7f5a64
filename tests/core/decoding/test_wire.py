"""Messages through a pipe: whatever is packed comes out, and nothing else does."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ed_core.decoding.wire import MAX_JSON, MAX_VALUES, Unpacker, WireError, pack

_names = st.text(max_size=6)
_json = st.dictionaries(
    _names.filter(lambda name: name != "arrays"),
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.integers()),
)
_arrays = st.dictionaries(
    _names, hnp.arrays("<f4", hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
_messages = st.lists(st.tuples(_json, _arrays), max_size=4)


def head(text: bytes, length: int | None = None, magic: bytes = b"edk1") -> bytes:
    return magic + struct.pack("<I", len(text) if length is None else length) + text


@given(_messages, st.lists(st.integers(1, 40)))
def test_any_messages_come_through_however_they_are_cut(
    messages: list[tuple[dict[str, Any], dict[str, np.ndarray]]], cuts: list[int]
) -> None:
    data = b"".join(pack(facts, arrays) for facts, arrays in messages)
    unpacker, found = Unpacker(), []
    for cut in [*cuts, len(data)]:
        found += unpacker.feed(data[:cut])
        data = data[cut:]
    found += unpacker.feed(data)
    assert [message.facts for message in found] == [facts for facts, _ in messages]
    for message, (_, arrays) in zip(found, messages, strict=True):
        assert list(message.arrays) == list(arrays)
        for name, array in arrays.items():
            assert message.arrays[name].shape == array.shape
            assert message.arrays[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        head(b"{}", magic=b"edk2"),
        head(b"", length=MAX_JSON + 1),
        head(b"\xff\xfe"),
        head(b"[" * 5000),
        head(b"[]"),
        head(b"{}"),
        head(b'{"arrays": 3}'),
        head(b'{"arrays": {"a": 3}}'),
        head(b'{"arrays": {"a": [-1]}}'),
        head(b'{"arrays": {"a": [true]}}'),
        head(b'{"arrays": {"a": [1.5]}}'),
        head(json.dumps({"arrays": {"a": [MAX_VALUES, 2]}}).encode()),
        head(json.dumps({"arrays": {"a": [10**30, 0]}}).encode()),
    ],
)
def test_what_is_no_message_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(WireError):
        Unpacker().feed(data)


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_waited_for(data: bytes) -> None:
    try:
        assert Unpacker().feed(data) == []
    except WireError:
        assert not data.startswith(b"edk1\x00\x00\x00\x00\x00")


def test_numbers_that_json_cannot_hold_are_not_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        pack({"step": float("nan")})
