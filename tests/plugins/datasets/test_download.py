"""Where a data set's file comes from, and that a wrong one is never taken."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ed_core import EdkitError
from ed_plugins.datasets import _download

DATA = bytes(range(256)) * 40
REMOTE = _download.Remote("some.gz", len(DATA), hashlib.sha256(DATA).hexdigest())
NOWHERE = "http://127.0.0.1:1/"  # refuses at once

GOOD = gzip.compress(DATA)
BAD = {
    "empty": b"",
    "no gzip": b"<html>not found</html>",
    "truncated": GOOD[:-20],
    "trailer missing": GOOD[:-8],
    "bit flipped": GOOD[:60] + bytes([GOOD[60] ^ 255]) + GOOD[61:],
    "shorter": gzip.compress(DATA[:-1]),
    "longer": gzip.compress(DATA + b"x"),
    "of the same size": gzip.compress(DATA[::-1]),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Short(Quiet):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(GOOD)))
        self.end_headers()
        self.wfile.write(GOOD[:-9])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("EDKIT_DATA", raising=False)
    monkeypatch.setattr(_download, "user_cache_dir", lambda _: str(tmp_path / "cache"))
    return tmp_path / "cache" / "thing"


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    servers = []

    def start(handler: Callable[..., BaseHTTPRequestHandler]) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def publish(tmp_path: Path, serve: Callable[..., str]) -> Callable[[bytes], str]:
    def put(data: bytes) -> str:
        folder = tmp_path / f"published {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / REMOTE.name).write_bytes(data)
        return serve(partial(Quiet, directory=str(folder)))

    return put


def put(place: Path, data: bytes) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / REMOTE.name).write_bytes(data)
    return place / REMOTE.name


def failure(*mirrors: str) -> str:
    with pytest.raises(EdkitError) as caught:
        _download.content("thing", REMOTE, mirrors)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_is_read_from_edkit_data_first(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, b"damaged, and never looked at")
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path / "mine"))
    put(tmp_path / "mine" / "thing", gzip.compress(DATA, compresslevel=1))
    assert _download.content("thing", REMOTE, [NOWHERE]) == DATA


def test_an_empty_edkit_data_leads_to_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, GOOD)
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path))
    assert _download.content("thing", REMOTE, [NOWHERE]) == DATA


def test_edkit_data_must_be_a_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cache, GOOD)
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path / "gone"))
    message = failure(NOWHERE)
    assert str(tmp_path / "gone") in message
    assert "not a folder" in message


def test_it_is_fetched_once(cache: Path, publish: Callable[[bytes], str]) -> None:
    assert _download.content("thing", REMOTE, [publish(GOOD)]) == DATA
    assert [path.name for path in cache.iterdir()] == [REMOTE.name]
    assert _download.content("thing", REMOTE, [NOWHERE]) == DATA


def test_the_second_publisher_is_asked(
    cache: Path, publish: Callable[[bytes], str], serve: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "bare").mkdir()
    missing = serve(partial(Quiet, directory=str(tmp_path / "bare")))
    mirrors = [missing, publish(BAD["shorter"]), publish(GOOD)]
    assert _download.content("thing", REMOTE, mirrors) == DATA
    assert [path.name for path in cache.iterdir()] == [REMOTE.name]


@pytest.mark.parametrize("kind", BAD)
def test_a_wrong_file_is_not_kept(kind: str, cache: Path, publish: Callable[[bytes], str]) -> None:
    mirror = publish(BAD[kind])
    message = failure(mirror)
    assert f"{mirror}{REMOTE.name} (expected" in message
    assert not list(cache.iterdir())


def test_a_broken_connection_leaves_nothing(cache: Path, serve: Callable[..., str]) -> None:
    mirror = serve(Short)
    assert mirror in failure(mirror)
    assert not list(cache.iterdir())


def test_an_endless_file_is_cut_off(
    cache: Path, publish: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_download, "_LARGEST", len(GOOD) - 1)
    assert "at most" in failure(publish(GOOD))
    assert not list(cache.iterdir())


def test_a_silent_publisher_is_given_up(
    cache: Path, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    class Silent(Quiet):
        def do_GET(self) -> None:
            done.wait(10)

    monkeypatch.setattr(_download, "_SECONDS", 0.1)
    message = failure(serve(Silent))
    done.set()
    assert "timed out" in message


def test_without_a_network_it_says_what_to_do(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path))
    message = failure(NOWHERE, "http://127.0.0.1:2/")
    for part in (tmp_path / "thing", cache, NOWHERE, "127.0.0.1:2", "EDKIT_DATA", "refused"):
        assert str(part) in message


def test_a_cache_that_cannot_be_written_is_named(
    cache: Path, publish: Callable[[bytes], str]
) -> None:
    cache.parent.write_text("a file where the folder should be")
    assert str(cache) in failure(publish(GOOD))


@pytest.mark.parametrize("kind", BAD)
def test_a_damaged_file_is_named_and_left_alone(kind: str, cache: Path) -> None:
    path = put(cache, BAD[kind])
    message = failure(NOWHERE)
    for part in (str(path), f"expected {'a gzip' if 'can' in message else '10,240'}", "found"):
        assert part in message
    assert path.read_bytes() == BAD[kind]


def test_a_bomb_is_not_unpacked(cache: Path) -> None:
    path = put(cache, gzip.compress(bytes(50_000_000)))
    assert "found more than 10,240" in failure(NOWHERE)
    assert path.exists()
