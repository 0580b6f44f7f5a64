"""The cache of compiled code: whose it is, its size, what a kill leaves in it, equal results."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from ed_core.engine import compile_cache
from ed_core.engine.compile_cache import cache_folder, keep_compiled

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user's cache that is not there yet, in a process that has not imported JAX."""
    monkeypatch.setattr(compile_cache, "user_cache_dir", lambda name: str(tmp_path / name))
    for name in ("", *compile_cache.SETTINGS):
        monkeypatch.delenv(name.upper() or "JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    return tmp_path / "edkit"


def write(folder: Path, name: str, size: int = 100, age: float = 0.0) -> Path:
    file = folder / name
    file.write_bytes(zlib.compress(os.urandom(size)))
    time = file.stat().st_mtime - age
    os.utime(file, (time, time))
    return file


def test_jax_is_given_a_folder_of_this_user_and_processor(cache):
    keep_compiled("torch")
    keep_compiled("tensorflow")
    assert not cache.exists()
    keep_compiled("jax")
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    assert folder.parent == cache / "jax"
    assert os.name != "posix" or folder.stat().st_mode & 0o777 == 0o700
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "0.0"


def test_the_folder_and_the_settings_that_a_user_gave_stay(cache, monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/mine")
    keep_compiled("jax")
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == "/mine"
    assert "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "2")
    keep_compiled("jax")
    assert os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] == "2"


def test_where_there_can_be_no_folder_nothing_is_said_or_set(cache):
    cache.write_text("a file in its place")
    keep_compiled("jax")
    assert "JAX_COMPILATION_CACHE_DIR" not in os.environ


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_folder_that_others_can_write_is_not_used(cache):
    folder = cache_folder()
    for level in (folder, folder.parent, cache):
        level.chmod(0o777)
        assert cache_folder() is None
        level.chmod(0o700)
    assert cache_folder() == folder
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")
    assert cache_folder() is None


def test_what_was_not_used_for_longest_goes_first(cache, monkeypatch):
    folder = cache_folder()
    old, used, new = (write(folder, f"of {age} s", age=age) for age in (90, 80, 1))
    os.utime(used, (used.stat().st_mtime + 75, used.stat().st_mtime))  # read 5 s ago
    monkeypatch.setattr(compile_cache, "_MOST", 2)
    cache_folder()
    assert (old.exists(), used.exists(), new.exists()) == (False, True, True)
    monkeypatch.setattr(compile_cache, "_LARGEST", new.stat().st_size)
    cache_folder()
    assert (used.exists(), new.exists()) == (False, True)


def test_an_entry_that_was_never_finished_is_dropped(cache):
    folder = cache_folder()
    whole = write(folder, "whole")
    torn = write(folder, "torn", size=10_000)
    torn.write_bytes(torn.read_bytes()[:5000])
    empty = folder / "empty"
    empty.touch()
    packed = folder / "zstd"
    packed.write_bytes(compile_cache.ZSTD + b"...")
    assert cache_folder() == folder
    assert {file.name for file in folder.iterdir()} == {".checked", "whole", "zstd"}
    assert whole.exists()


TRAINING = """
import hashlib, json, sys, warnings
import numpy as np
import ed_core

with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    run = ed_core.train("dense_autoencoder", epochs=1, out=sys.argv[1], record=False, hidden=(8,))
import jax

weights = b"".join(np.asarray(weight).tobytes() for weight in run.model.get_weights())
print(json.dumps({
    "weights": hashlib.sha256(weights).hexdigest(),
    "warnings": [str(one.message) for one in told],
    "folder": jax.config.jax_compilation_cache_dir,
}))
"""


@pytest.mark.backend
@pytest.mark.once
def test_a_second_training_loads_what_the_first_compiled_and_learns_the_same(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    environment |= {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path)}
    results, files = [], []
    for number in range(3):
        if number == 2:  # a kill in the middle of writing
            torn = max(files, key=lambda file: file.stat().st_size)
            torn.write_bytes(torn.read_bytes()[:1000])
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, str(tmp_path / "runs")],
            check=True,
            env={**environment, "KERAS_BACKEND": "jax"},
            capture_output=True,
            text=True,
        )
        results.append(json.loads(done.stdout.splitlines()[-1]))
        assert "compil" not in done.stderr
        files = [*Path(results[0]["folder"]).glob("*-cache")]
        results[-1]["files"] = len(files)
    assert results[0]["files"] > 5
    assert results[1] == results[0]
    assert results[2] == results[0]
    assert Path(results[0]["folder"]).is_relative_to(tmp_path)
    assert results[0]["warnings"] == []
