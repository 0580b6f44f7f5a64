"""Recordings that are cut, damaged or made to harm: one sentence, in time, in little memory.

Every file of `CASES` is opened by one child process, which says of each what it saw.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ed_core.recording.tables import summed

FRAMES = 40
CANARY = f"/tmp/edkit-canary-{os.getpid()}"  # a FIFO: it hangs whoever opens it
Edit = Callable[[h5py.File], Any]
CASES: dict[str, tuple[Callable[[Path], Any], str, int]] = {}
"""Case to (what makes the file out of a good one, what `problem` must say, how many frames)."""


def case(name: str, problem: str, frames: int = 0) -> Callable[[Any], Any]:
    """Add a case that edits the bytes of a good file."""

    def add(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
        CASES[name] = (make, problem, frames)
        return make

    return add


def edited(name: str, problem: str, edit: Edit, frames: int = 0) -> None:
    """Add a case that edits the contents of a good file."""

    def make(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            edit(file)

    CASES[name] = (make, problem, frames)


def replaced(name: str, problem: str, dataset: str, frames: int = 0, **new: Any) -> None:
    """Add a case in which a data set is made anew."""

    def edit(file: h5py.File) -> None:
        del file[dataset]
        file.create_dataset(dataset, **new)

    edited(name, problem, edit, frames)


def linked(name: str, dataset: str, link: Any, problem: str = "is missing or is a link") -> None:
    """Add a case in which a data set or group is a link."""

    def edit(file: h5py.File) -> None:
        del file[dataset]
        file[dataset] = link

    edited(name, problem, edit)


def headed(name: str, problem: str, change: Callable[[dict[str, Any]], Any], n: int = 0) -> None:
    """Add a case with another header."""

    def edit(file: h5py.File) -> None:
        raw = json.loads(file["header"][()].tobytes())
        text = (change(raw) or json.dumps(raw)).encode()
        del file["header"]
        file.create_dataset("header", data=np.frombuffer(text, "u1"))
        file["header"].attrs["sum"] = zlib.crc32(text)  # as whoever means harm would write it

    edited(name, problem, edit, n)


def at(row: int, column: int, value: float, table: str = "index") -> Edit:
    """Return the edit that writes one number into a table, in the index with the sum of its row."""

    def edit(file: h5py.File) -> None:
        file[table][row, column] = value
        if table == "index":
            file[table][row] = summed(file[table][row, :-1])

    return edit


def put(raw: dict[str, Any], *path: Any) -> None:
    """Put the last of `path` where the others lead."""
    *way, key, value = path
    for part in way:
        raw = raw[part]
    raw[key] = value


def in_probe(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return the change of one fact about the probe."""
    return lambda raw: put(raw, "probes", 0, key, value)


def in_array(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return the change of one fact about the array."""
    return lambda raw: put(raw, "probes", 0, "arrays", "a", key, value)


# Whole files.
for percent in (0, 10, 50, 90, 99):
    case(f"cut at {percent} %", "0000.h5: ")(
        lambda path, percent=percent: os.truncate(path, path.stat().st_size * percent // 100)
    )
case("text", "it is not an HDF5 file")(lambda path: path.write_text("step,loss\n" * 100))
case("100 bytes", "0000.h5: ")(lambda path: os.truncate(path, 100))
case("zeros", "it is not an HDF5 file")(lambda path: path.write_bytes(bytes(10_000)))
case("signature only", "0000.h5: ")(lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n\x03" * 9))


@case("directory", "it is not a regular file")
def _(path: Path) -> None:
    path.unlink()
    path.mkdir()


@case("FIFO", "it is not a regular file")
def _(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@case("device", "it is not a regular file")
def _(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@case("link to nothing", "0000.h5")
def _(path: Path) -> None:
    path.unlink()
    path.symlink_to("/no/such/file")


@case("started but never finished", "0000.h5: ")
def _(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[11] = 1
    path.write_bytes(data)


# Links.
linked("external link to the index", "index", h5py.ExternalLink(CANARY, "/index"))
linked("external link to the probes", "probes", h5py.ExternalLink(CANARY, "/"))
linked("external link to the header", "header", h5py.ExternalLink(CANARY, "/h"))
linked("soft link to an array", "probes/p/a", h5py.SoftLink("/scalars"))
linked("soft link to itself", "probes", h5py.SoftLink("/probes"))
edited("group for an array", "not an array of", lambda f: (f.pop("index"), f.create_group("index")))
edited("no index", "index is missing", lambda f: f.pop("index"))
edited("no scalars", "scalars is missing", lambda f: f.pop("scalars"))
edited("no array", "probes/p/a is missing", lambda f: f.pop("probes/p/a"))
replaced(
    "external storage",
    "points outside the file",
    "probes/p/a",
    shape=(FRAMES, 2, 4, 3),
    dtype="<f4",
    external=[(CANARY, 0, h5py.h5f.UNLIMITED)],
)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((FRAMES, 2, 4, 3), "<f4")
    layout[:] = h5py.VirtualSource(CANARY, "a", (FRAMES, 2, 4, 3))
    del file["probes/p/a"]
    file.create_virtual_dataset("probes/p/a", layout)


edited("virtual data set", "points outside the file", _virtual)

# Shapes with nothing stored, and types that are no numbers.
_many: dict[str, Any] = {"maxshape": (None, 2, 4, 3), "chunks": (1, 2, 4, 3), "dtype": "<f4"}
replaced("2**40 frames", "a has 1099511627776 rows", "probes/p/a", shape=(2**40, 2, 4, 3), **_many)
_rows: dict[str, Any] = {"maxshape": (None, 5), "chunks": (256, 5), "dtype": "f8"}
_packed: dict[str, Any] = {"maxshape": (None, 20), "chunks": (256, 20), "dtype": "u1"}
replaced("2**31 rows", "index has 2147483657 rows", "index", shape=(2**31 + 9, 5), **_rows)
replaced("2**28 rows", "scalars has 268435456 rows", "scalars", shape=(2**28, 5), **_rows)
replaced("curves of 2**28 rows", "curves has 268435456", "curves", shape=(2**28, 20), **_packed)
_wide: dict[str, Any] = {"shape": (1, 2**12, 2**12), "maxshape": (None, 2**12, 2**12)}
replaced("frame of 128 MiB", "is larger than", "probes/p/a", dtype="<f8", **_wide)
_chunk: dict[str, Any] = {"maxshape": (None, 2, 4, 3), "chunks": (2**24, 2, 4, 3), "dtype": "<f4"}
replaced("chunk of 1.5 GiB", "is larger than", "probes/p/a", shape=(9, 2, 4, 3), **_chunk)
replaced("header of 2**50", "is larger than", "header", shape=(2**50,), chunks=(9,), dtype="u1")
replaced("header of 9 MB", "its header has 9000000", "header", data=np.zeros(9_000_000, "u1"))
for kind in ("c8", "S5", "f4,i4", h5py.string_dtype(), h5py.vlen_dtype("i4"), h5py.ref_dtype):
    replaced(f"type {kind}", "not an array of num", "probes/p/a", shape=(9, 2, 4, 3), dtype=kind)
replaced("other type", "not what the header says", "probes/p/a", shape=(9, 2, 4, 3), dtype="<f8")
replaced("other shape", "not what the header says", "probes/p/a", shape=(9, 2, 4, 4), dtype="<f4")
replaced("index of integers", "not a table of 5", "index", data=np.zeros((9, 5), "i8"))
replaced("index of 6 columns", "not a table of 5", "index", data=np.zeros((9, 6)))
replaced("index of one axis", "not a table of 5", "index", data=np.zeros(9))
replaced("curves of numbers", "not a table of 20", "curves", data=np.zeros((9, 20)))


def _foreign_filter(file: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 2, 4, 3))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((9, 2, 4, 3))
    del file["probes/p/a"]
    h5py.h5d.create(file["probes/p"].id, b"a", h5py.h5t.IEEE_F32LE, space, plist)


edited("unknown filter", "is packed by a foreign filter", _foreign_filter)


def _chunk_that_grows(file: h5py.File) -> None:
    del file["probes/p/a"]
    shape = (FRAMES, 2, 4, 3)
    made = file.create_dataset(
        "probes/p/a", shape, "<f4", chunks=(1, 2, 4, 3), maxshape=(None, 2, 4, 3), compression=1
    )
    made.id.write_direct_chunk((3, 0, 0, 0), zlib.compress(bytes(60_000_000)))


edited("gzip chunk of 60 MB", "", _chunk_that_grows, FRAMES)

# The header.
edited("no sum", "0000.h5: ", lambda file: file["header"].attrs.pop("sum"))
edited("sum in words", "sum is not a number", lambda f: f["header"].attrs.create("sum", "x" * 9999))
edited("no version", "0000.h5: ", lambda file: file.attrs.pop("schema"))
edited(
    "later version",
    "a newer version of edkit (layout 99",
    lambda file: file.attrs.create("schema", 99),
)
edited("version in words", "0000.h5: ", lambda file: file.attrs.create("schema", "one" * 9999))
headed("header is a list", "0000.h5: ", lambda raw: "[1, 2]")
headed("header is no JSON", "0000.h5: ", lambda raw: "{'a': 1}")
headed("NaN", "the header holds NaN", lambda raw: put(raw, "run", "epochs", float("nan")))
headed("1e999", "the header holds 1e999", lambda raw: '{"run": {"epochs": 1e999}}')
headed("nesting", "0000.h5: ", lambda raw: "[" * 100_000 + "]" * 100_000)
headed("no probes", "no 'probes'", lambda raw: raw.pop("probes") and None)
headed("probe is a number", "0000.h5: ", lambda raw: put(raw, "probes", [1]))
headed("arrays is a list", "0000.h5: ", lambda raw: put(raw, "probes", 0, "arrays", [1]))
headed("run is a text", "0000.h5: ", lambda raw: put(raw, "run", "text"))
headed("field is a text", "0000.h5: ", lambda raw: put(raw, "fields", "x", "text"))
headed("shape is a text", "0000.h5: ", in_array("shape", "x"))
headed("shape is negative", "0000.h5: ", in_array("shape", [-1]))
headed("type of objects", "0000.h5: ", in_array("dtype", "O"))
headed("no such type", "0000.h5: ", in_array("dtype", "<" * 999))
headed("two alike", "same name", lambda raw: raw["probes"].append(raw["probes"][0]))
headed("name of 10 kB", "probes/?[31m", in_probe("name", "\x1b[31m\n" * 2000))
headed("HTML kind", "", in_probe("kind", "<img src='file:///x'>"), FRAMES)
headed("huge start", "", lambda raw: put(raw, "run", "start_step", 10**400), FRAMES)
headed("start in words", "", lambda raw: put(raw, "run", "start_step", "nine"), FRAMES)

# The index and the frames.
edited("index shorter", "", lambda file: file["index"].resize(25, axis=0), 25)
edited("frames fewer", "", lambda file: file["probes/p/a"].resize(25, axis=0), FRAMES)
edited("step not a number", "frame 30 is at step nan", at(30, 0, np.nan), 30)
edited("step infinite", "frame 30 is at step inf", at(30, 0, np.inf), 30)
edited("CRC not written", "", at(30, 3, np.nan), FRAMES)
edited("step negative", "frame 30 is at step -5", at(30, 0, -5), 30)
edited("step goes back", "frame 30 is at step 3", at(30, 0, 3), 30)
edited("step of 2**62", "frame 30 is at step 4.6", at(30, 0, 2.0**62), 30)
edited("epoch of 1e308", "", at(30, 1, 1e308), FRAMES)
edited("wrong CRC", "", at(30, 3, 12345), FRAMES)


def changed(table: str, row: int, column: int, value: float) -> Edit:
    """Return the edit that writes one number and leaves the sum of its row as it was."""
    return lambda file: file[table].__setitem__((row, column), value)


_ONE = "1 damaged row of the"
edited("another step", f"{_ONE} index of frames left out", changed("index", 39, 0, 41.0), 39)
edited("another epoch", f"{_ONE} index of frames left out", changed("index", 39, 1, 0.5), 39)
edited("another loss", f"{_ONE} scalars left out", changed("scalars", 30, 3, 4e-302), FRAMES)
edited("another truth", "batch is damaged in 'x' (wr", changed("reference/x", 1, 2, 9.0), FRAMES)
edited("another word", "header is damaged (wrong CRC)", lambda f: f["header"].__setitem__(9, 65))


def _wrong_number(file: h5py.File) -> None:
    file["probes/p/a"][30, 0, 0, 0] += 1


edited("wrong number", "", _wrong_number, FRAMES)

# The events: what is wrong with them hides no frame.
EVENTS: dict[str, int] = {}
"""Case to how many events are shown."""


def of_events(name: str, edit: Edit, shown: int = 0, problem: str = "no events: ") -> None:
    """Add a case that edits the tables of events."""
    EVENTS[name] = shown
    edited(name, problem, edit, FRAMES)


def anew(table: str, link: Any = None, **new: Any) -> Edit:
    """Return the edit that makes a table of events anew, or a link."""

    def edit(file: h5py.File) -> None:
        del file[table]
        file[table] = link or file.create_dataset(None, **new)

    return edit


def shorter(dataset: str) -> Edit:
    """Return the edit that leaves 25 rows of a table."""
    return lambda file: file[dataset].resize(25, axis=0)


_four: dict[str, Any] = {"maxshape": (None, 4), "chunks": (64, 4), "dtype": "f8"}
_words: dict[str, Any] = {"maxshape": (None, 160), "chunks": (64, 160), "dtype": "u1"}
of_events("events as they are", lambda file: None, FRAMES, "")
of_events("no events", lambda file: file.pop("events"))
of_events("no words", lambda file: file.pop("event_words"))
of_events("events elsewhere", anew("events", h5py.ExternalLink(CANARY, "/events")))
of_events("words elsewhere", anew("event_words", h5py.ExternalLink(CANARY, "/words")))
of_events("events by a soft link", anew("events", h5py.SoftLink("/index")))
of_events("events without end", anew("events", shape=(2**31 - 9, 4), **_four), 0, "")
of_events(
    "words without end", anew("event_words", shape=(2**31 - 9, 160), **_words), 0, "40 damaged"
)
of_events("events packed", anew("events", shape=(9, 4), compression=1, **_four))
of_events("words packed", anew("event_words", shape=(FRAMES, 160), compression=1, **_words))
of_events("events of integers", anew("events", data=np.zeros((9, 4), "i8")))
of_events("events of 5 columns", anew("events", data=np.zeros((9, 5))))
of_events("words of 10 bytes", anew("event_words", data=np.zeros((FRAMES, 10), "u1")))
of_events("words of floats", anew("event_words", data=np.zeros((FRAMES, 160), "f4")))
of_events("words as a group", lambda f: (f.pop("event_words"), f.create_group("event_words")))
of_events("events fewer", shorter("events"), 25, "")
of_events("words fewer", shorter("event_words"), 25, "15 damaged rows of the events left out")
for _what, _edit in {
    "event not committed": at(30, 3, np.nan, "events"),
    "event at no step": at(30, 0, -5, "events"),
    "event at another time": at(30, 2, 1e9, "events"),
    "event of other words": at(30, 9, 65, "event_words"),
}.items():
    of_events(_what, _edit, FRAMES - 1, f"{_ONE} events left out")


def _terminal(file: h5py.File) -> None:
    """An event as a hostile program would write it, with the right checksum."""
    words = np.frombuffer(b"\x1b[31m\n<b>x</b>\x00\xff\xfe".ljust(160, b"\0"), "u1")
    row = file["events"][30, :3]
    file["event_words"][30] = words
    file["events"][30, 3] = zlib.crc32(row.tobytes() + words.tobytes())


of_events("event of control codes", _terminal, FRAMES, "")
replaced("index packed", "not a table of 5", "index", shape=(9, 5), compression=1, **_rows)


@pytest.fixture(scope="module")
def seen(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    good: dict[bool, bytes],
    hostile: Any,
) -> Iterator[dict[str, dict[str, Any]]]:
    """What a child process sees in every case; in the short form without the preflight's own."""
    root = tmp_path_factory.mktemp("hostile")
    os.mkfifo(CANARY)
    segments = [hostile.make_run(root / str(number), good[False]) for number in range(len(CASES))]
    for segment, (make, _, _) in zip(segments, CASES.values(), strict=True):
        make(segment)
    long = request.config.getoption("--long")
    runs = [segment.parents[1] for segment in segments]
    said = hostile.read_all(runs, 35.0 * len(runs), preflight=long)
    yield dict(zip(CASES, said, strict=True))
    os.unlink(CANARY)


@pytest.mark.parametrize("name", CASES)
def test_hostile_recording(
    name: str, seen: dict[str, dict[str, Any]], frame: Any, event: Any
) -> None:
    _, problem, frames = CASES[name]
    said = seen[name]
    assert "died" not in said, said
    assert problem in said["problem"]
    assert bool(said["problem"]) == bool(problem), said["problem"]
    assert said["problem"].isprintable()
    assert len(said["problem"]) <= 300
    assert said["again"] == said["problem"]
    assert said["seconds"] < 35
    assert said["mib"] < 1024
    assert len(said["steps"]) == frames
    expected = [frame(step)["p"]["a"].tobytes().hex() for step in range(frames)]
    for number, (found, wanted) in enumerate(zip(said["frames"], expected, strict=False)):
        assert found == wanted or found.startswith("damaged: 0000.h5: "), number
    for found in said["frames"]:
        assert len(found) <= 300 or not found.startswith("damaged")
    written = [list(astuple(event(step))) for step in range(FRAMES)]
    if name == "event of control codes":
        written[30][3:] = said["events"][30][3:]
        assert "".join(written[30][3:]).isprintable()
    assert [e for e in said["events"] if e not in written] == []
    assert len(said["events"]) == EVENTS.get(name, FRAMES if frames else 0)


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("frames fewer", range(25, FRAMES)),
        ("wrong CRC", [30]),
        ("CRC not written", [30]),
        ("wrong number", [30]),
        ("gzip chunk of 60 MB", range(FRAMES)),
        ("HTML kind", []),
        ("epoch of 1e308", []),
    ],
)
def test_frames_beside_the_damage_are_shown(
    name: str, damaged: Any, seen: dict[str, dict[str, Any]]
) -> None:
    found = [n for n, text in enumerate(seen[name]["frames"]) if text.startswith("damaged")]
    assert found == list(damaged)
