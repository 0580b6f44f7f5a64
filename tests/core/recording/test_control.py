"""`control.json`: what is asked arrives once and in order, whatever else lies in the file."""

import json
import math
import os
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ed_core.recording.control import RANGES, Inbox, Request, ask, forget_requests, read_requests

HEADS = ("image", "kl")
_values = st.floats(1e-9, 1e3)
_requests = st.one_of(
    st.sampled_from(["pause", "resume", "stop", "save"]).map(Request),
    _values.map(lambda x: Request("learning_rate", x)),
    st.tuples(_values, st.sampled_from(HEADS)).map(lambda r: Request("weight", *r)),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
_entries = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["pause", "weight", "learning_rate", "x"]) | _json,
        "number": st.integers(-1, 2**60) | _json,
        "value": st.floats() | st.integers() | _json,
        "head": st.sampled_from([*HEADS, "other"]) | _json,
    },
)


pytestmark = pytest.mark.waits


def plain(request: Request) -> tuple[Any, ...]:
    return request.kind, request.value, request.head


def about(request: Request) -> Any:
    return ("pause" if request.kind == "resume" else request.kind), request.head


@given(st.lists(_requests, max_size=12), st.sets(st.integers(0, 12)))
@settings(max_examples=60)
def test_what_is_asked_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, requests: list[Request], looks: set[int]
) -> None:
    """Of two requests about the same thing between two looks, the newer one counts."""
    path = tmp_path_factory.mktemp("run") / "control.json"
    inbox = Inbox(path, HEADS)
    waiting: list[Request] = []
    for number, request in enumerate(requests):
        ask(path, request)
        waiting = [r for r in waiting if about(r) != about(request)] + [request]
        if number in looks:
            assert [plain(r) for r in inbox.news()] == [plain(r) for r in waiting]
            waiting = []
    assert [plain(r) for r in inbox.news()] == [plain(r) for r in waiting]
    assert inbox.news() == []
    assert len(read_requests(path)[0]) <= 4 + len(HEADS)
    assert [file.name for file in path.parent.iterdir()] in ([], ["control.json"])


@given(st.lists(_entries, max_size=5) | _json)
@settings(max_examples=200)
def test_nonsense_is_ignored_with_one_warning(
    tmp_path_factory: pytest.TempPathFactory, entries: Any
) -> None:
    path = tmp_path_factory.mktemp("run") / "control.json"
    path.write_text(json.dumps({"requests": entries}))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        inbox = Inbox(path, HEADS)
        found = inbox.news()
        assert inbox.news() == []
    for request in found:
        assert 0 < request.number < 2**53
        if request.kind in RANGES:
            least, largest = RANGES[request.kind]
            assert type(request.value) is float
            assert least <= request.value <= largest
        assert (request.head in HEADS) == (request.kind == "weight")
    count = len(entries) if isinstance(entries, list) else -1
    assert len(seen) == (len(found) != count)
    for warning in seen:
        assert str(warning.message).isprintable()
        assert len(str(warning.message)) < 400
    asked = ask(path, Request("save"))  # whatever was there, a window can write
    assert asked in read_requests(path)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[" * 60_000, "recursion"),
        ("[]", "holds no list of requests"),
        ('{"requests": {}}', "holds no list of requests"),
        ('{"requests": [7]}', "7 is no request"),
        ('{"requests": [{"number": 1, "kind": "weight", "head": "k", "value": 1}]}', "no head 'k'"),
        ('{"requests": [{"number": 1, "kind": "shout"}]}', "unknown request 'shout'"),
        ('{"requests": [{"number": 1, "kind": ["pause"]}]}', "unknown request"),
        ('{"requests": [{"number": true, "kind": "pause"}]}', "has the number True"),
        ('{"requests": [{"kind": "pause"}]}', "has the number None"),
        ("x" * 70_000, "more than 65536 bytes"),
        ("\x00\xff", "contains an invalid request: .*(codec|Expecting)"),
        *(
            (
                f'{{"requests": [{{"number": 1, "kind": "learning_rate", "value": {value}}}]}}',
                "rate",
            )
            for value in ("NaN", "-1e-3", "0", "1e999", "9" * 400, '"0.1"', "true", "null", "[1]")
        ),
        *(
            (
                f'{{"requests": [{{"number": 1, "kind": "weight", "head": "kl", "value": {x}}}]}}',
                "wei",
            )
            for x in ("NaN", "-1", "1e10", "-Infinity", '"1"', "{}")
        ),
    ],
)
def test_a_file_that_asks_for_nothing(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "control.json"
    path.write_text(text, encoding="latin-1")
    inbox = Inbox(path, HEADS)
    with pytest.warns(UserWarning, match=words) as seen:
        assert inbox.news() == []
    assert len(seen) == 1
    os.utime(path)
    assert inbox.news() == []  # said once is enough


def test_what_is_no_file_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    assert Inbox(path, HEADS).news() == []
    os.mkfifo(path)
    with pytest.warns(UserWarning, match="not a regular file"):
        assert Inbox(path, HEADS).news() == []
    path.unlink()
    path.mkdir()
    with pytest.warns(UserWarning, match="not a regular file"):
        assert Inbox(path, HEADS).news() == []
    with pytest.raises(OSError, match="directory"):
        ask(path, Request("pause"))
    forget_requests(path)


@pytest.mark.parametrize(
    "request_",
    [
        Request("shout"),
        Request("weight", 1.0),
        Request("weight", -1.0, "kl"),
        Request("weight", math.nan, "kl"),
        Request("learning_rate"),
        Request("learning_rate", 0.0),
    ],
)
def test_nothing_senseless_is_written(tmp_path: Path, request_: Request) -> None:
    with pytest.raises(ValueError, match=r"."):
        ask(tmp_path / "control.json", request_)
    assert list(tmp_path.iterdir()) == []


def test_windows_that_ask_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    heads = [f"head {n}" for n in range(24)]

    def one(part: list[str]) -> None:
        for head in part:
            ask(path, Request("weight", 1.0, head))

    threads = [threading.Thread(target=one, args=(heads[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    news = Inbox(path, heads).news()
    assert sorted(str(request.head) for request in news) == sorted(heads)
    assert len({request.number for request in news}) == len(heads)


LOCKER = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(100)
"""


def test_a_window_that_hangs_holds_nobody_up(tmp_path: Path, child: Any) -> None:
    path = tmp_path / "control.json"
    assert child(LOCKER, tmp_path).stdout.readline() == "locked\n"
    start = time.monotonic()
    ask(path, Request("pause"))
    forget_requests(path)
    assert time.monotonic() - start < 5
    assert not path.exists()


def test_what_an_earlier_trainer_was_asked_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    forget_requests(path)
    ask(path, Request("pause"))
    forget_requests(path)
    inbox = Inbox(path, HEADS)
    assert inbox.news() == []
    asked = ask(path, Request("resume"))
    assert inbox.news() == [asked]


def test_a_look_at_an_unchanged_file_is_cheap(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    ask(path, Request("save"))
    inbox = Inbox(path, HEADS)
    assert len(inbox.news()) == 1
    path.chmod(0)  # it is not even opened
    start = time.perf_counter()
    for _ in range(1000):
        assert inbox.news() == []
    assert time.perf_counter() - start < 1.0
