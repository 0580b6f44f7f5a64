"""Trainings that end early: what they leave behind; and who may train at a time."""

import errno
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import ed_core
from ed_core import EdkitError, Recording, RunFolder
from ed_core.runs.checkpoints import newest_first
from ed_core.training import callbacks
from ed_core.training.callbacks import DivergedError, Interrupted
from ed_core.training.stop_signal import graceful

pytestmark = [pytest.mark.backend, pytest.mark.waits, pytest.mark.usefixtures("tiny")]


@pytest.mark.usefixtures("save_every_step")
def test_divergence_stops_and_keeps_what_was_saved(tmp_path: Path, fast: Any, at: Any) -> None:
    def spoil(model: Any) -> None:
        model.head_weights["image"].assign(np.nan)

    with pytest.raises(DivergedError, match=r"the loss is nan after step 6: lower --learning") as e:
        fast(tmp_path, callbacks=[at(5, spoil)])
    assert e.value.status == 3
    folder = RunFolder(next(tmp_path.iterdir()))
    assert folder.state() == "failed"
    assert folder.read()["problem"] == str(e.value)
    assert newest_first(folder.checkpoints)[0].name == "000000005.h5"


@pytest.mark.parametrize("asked", [False, True])
def test_the_step_that_diverged_is_named_however_late_it_is_looked_at(
    tmp_path: Path, fast: Any, at: Any, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    monkeypatch.setattr(callbacks, "_LOOK", 1e9)
    monkeypatch.setattr(callbacks, "_PAUSE", 1e9)  # no checkpoint, except the one that is asked for

    def spoil(model: Any) -> None:
        model.head_weights["image"].assign(np.nan)

    stop = at(4, lambda model: signal.raise_signal(signal.SIGINT))
    with pytest.raises(DivergedError, match="the loss is nan after step 3: "):
        fast(tmp_path, callbacks=[at(2, spoil), *[stop] * asked])
    assert not newest_first(RunFolder(next(tmp_path.iterdir())).checkpoints)


def test_learning_rate_beyond_all_reason(tmp_path: Path, fast: Any) -> None:
    with pytest.raises(DivergedError):
        fast(tmp_path, learning_rate=1e30, record=True)
    folder = RunFolder(next(tmp_path.iterdir()))
    with Recording(folder.path) as recording:
        assert recording.state == "failed"
        assert len(recording) >= 1
        assert recording.problem == ""


@pytest.mark.parametrize(("number", "step"), [(signal.SIGINT, 3), (signal.SIGTERM, 7)])
def test_signal_saves_and_stops(
    tmp_path: Path, number: int, step: int, fast: Any, at: Any, weights_of: Any
) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught:
        fast(tmp_path, record=True, callbacks=[at(step, lambda model: signal.raise_signal(number))])
    assert caught.value.signal_number == number
    assert signal.getsignal(number) == before
    folder = RunFolder(next(tmp_path.iterdir()))
    assert folder.state() == "stopped"
    saved = int(newest_first(folder.checkpoints)[0].stem)
    assert saved in (step, step + 1)
    run = ed_core.resume(folder.path)
    assert weights_of(run) == weights_of(fast(tmp_path))
    assert run.recording().steps[-1] == 14


def test_a_signal_that_is_ignored_goes_on_being_ignored(tmp_path: Path, fast: Any, at: Any) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    try:
        run = fast(tmp_path, callbacks=[at(3, lambda model: signal.raise_signal(signal.SIGHUP))])
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.info["status"] == "finished"


def test_an_ignored_interrupt_is_ignored_after_another_signal() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a script
    try:
        with graceful() as stop:
            signal.raise_signal(signal.SIGTERM)
            assert stop.number == signal.SIGTERM
            assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_second_interrupt_ends_at_once(tmp_path: Path, fast: Any, at: Any) -> None:
    twice = [at(step, lambda model: signal.raise_signal(signal.SIGINT)) for step in (3, 3)]
    with pytest.raises(KeyboardInterrupt):
        fast(tmp_path, callbacks=twice)
    assert RunFolder(next(tmp_path.iterdir())).state() == "failed"


def test_training_off_the_main_thread(tmp_path: Path, fast: Any, weights_of: Any) -> None:
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(fast(tmp_path, record=True)))
    thread.start()
    thread.join(120)
    assert weights_of(done[0]) == weights_of(fast(tmp_path))


def test_second_trainer_is_refused(tmp_path: Path, fast: Any, at: Any) -> None:
    refused: list[str] = []

    def try_again(model: Any) -> None:
        start = time.monotonic()
        with pytest.raises(EdkitError, match=r"is in use: process \d+ on") as caught:
            ed_core.resume(next(tmp_path.iterdir()))
        refused.append(str(caught.value))
        assert time.monotonic() - start < 1.5

    fast(tmp_path, callbacks=[at(2, try_again)])
    assert refused


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A disk that can be `full`: then no file of a run can be written."""
    state = SimpleNamespace(full=False)

    def limited(write: Any) -> Any:
        def attempt(path: Path, *args: Any, **options: Any) -> Any:
            if state.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(path, *args, **options)

        return attempt

    for name in ("write_bytes", "write_text"):
        monkeypatch.setattr(Path, name, limited(getattr(Path, name)))
    return state


@pytest.mark.usefixtures("save_every_step")
def test_a_disk_that_fills(tmp_path: Path, disk: Any, fast: Any, at: Any, weights_of: Any) -> None:
    """It is said once, the state is `failed`, and the run goes on as if there had been room."""
    expected = weights_of(fast(tmp_path / "whole"))
    filled = at(5, lambda model: setattr(disk, "full", True))
    with (
        pytest.warns(UserWarning, match="no checkpoint could be written at step") as seen,
        pytest.raises(OSError, match="No space left on device") as caught,
    ):
        fast(tmp_path / "full", callbacks=[filled])
    assert sum("no checkpoint" in str(warning.message) for warning in seen) == 1
    (path,) = (tmp_path / "full").iterdir()
    assert caught.value.filename == str(path / "weights.h5")
    assert RunFolder(path).state() == "failed"
    with pytest.raises(OSError, match="No space left on device"):
        ed_core.resume(path)
    assert RunFolder(path).state() == "failed"
    with pytest.raises(OSError, match="No space left on device"):
        fast(tmp_path / "none")
    assert not [*(tmp_path / "none").iterdir()]
    disk.full = False
    RunFolder(path).update(problem="OSError: No space left on device")
    assert weights_of(ed_core.resume(path)) == expected
    assert "problem" not in RunFolder(path).read()
    assert RunFolder(path).state() == "finished"


def test_a_disk_that_is_full_as_a_run_is_stopped(
    tmp_path: Path, disk: Any, fast: Any, at: Any
) -> None:
    def stop(model: Any) -> None:
        disk.full = True
        signal.raise_signal(signal.SIGTERM)

    with pytest.warns(UserWarning, match="no checkpoint"), pytest.raises(Interrupted):
        fast(tmp_path, callbacks=[at(3, stop)])
    assert RunFolder(next(tmp_path.iterdir())).state() == "stopped"


def test_the_command_says_how_to_go_on_after_a_failed_write(folder: RunFolder) -> None:
    from ed_core.cli.train import stoppable

    with (
        pytest.raises(
            EdkitError, match=r"weights.h5': No space .* edkit train --resume "
        ) as caught,
        stoppable([folder]),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", str(folder.weights))
    assert str(folder.path) in str(caught.value)


@pytest.mark.usefixtures("save_every_step")
@pytest.mark.parametrize("step", [5, 14])
@pytest.mark.filterwarnings("ignore:recording to")
def test_a_run_folder_that_is_removed(tmp_path: Path, fast: Any, at: Any, step: int) -> None:
    def remove(model: Any) -> None:
        shutil.rmtree(next(tmp_path.iterdir()))

    with pytest.raises(EdkitError, match=r"the run folder .* was removed: training ended") as e:
        fast(tmp_path, record=True, callbacks=[at(step, remove)])
    assert e.value.status == 2
    assert not [*tmp_path.iterdir()]
