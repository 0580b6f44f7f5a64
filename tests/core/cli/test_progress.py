"""What the command says of a training while it runs."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from ed_core.cli import progress as module
from ed_core.cli.progress import Progress
from ed_core.recording import RunFolder

pytestmark = pytest.mark.backend


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The clock, which the test sets."""
    at = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: at.seconds))
    return at


def test_a_pause_is_no_training_time(now: SimpleNamespace) -> None:
    """Steps of a second each, one of which is held for an hour."""
    out = io.StringIO()
    progress = Progress(Console(file=out, force_terminal=True, width=100))
    progress.plan({"batch_size": 10, "epochs": 1, "fields": {"image": {"kind": "image"}}})
    watcher = progress.callback
    watcher.set_params({"steps": 20, "epochs": 1})
    with progress:
        watcher.on_epoch_begin(0)
        for step in range(10):
            now.seconds += 1.0
            if step == 8:
                progress.note("pause", "paused")
                now.seconds += 3600.0
                progress.note("resume", "training goes on")
            watcher.on_train_batch_end(step, {"loss": 1.0})
        (task,) = progress._bar.tasks
        assert task.time_remaining == 10
        assert "  10 images/s" in task.description
    assert progress.seconds == 10.0
    assert "Paused.\n" in out.getvalue().replace("\r", "")
    assert "Training goes on." in out.getvalue()


@pytest.mark.parametrize(
    ("kinds", "unit"),
    [(["image", "class"], "images"), (["signal"], "samples"), (["video", "image"], "samples")],
)
def test_samples_are_called_images_where_they_are(kinds: list[str], unit: str) -> None:
    progress = Progress(Console(file=io.StringIO()))
    fields = {f"field_{number}": {"kind": kind} for number, kind in enumerate(kinds)}
    progress.plan({"batch_size": 10, "epochs": 1, "fields": fields})
    assert progress.unit == unit


def test_what_is_held_until_it_is_stopped_took_the_time_until_then(now: SimpleNamespace) -> None:
    progress = Progress(Console(file=io.StringIO()))
    with progress:
        now.seconds += 5.0
        progress.note("pause", "paused")
        now.seconds += 60.0
        progress.note("pause", "paused")
        now.seconds += 60.0
    assert progress.seconds == 5.0


def test_checkpoints_are_not_said() -> None:
    out = io.StringIO()
    progress = Progress(Console(file=out))
    progress.note("checkpoint", "checkpoint at step 4")
    progress.note("weight", "weight of [kl] 1 -> 4")
    assert out.getvalue() == "Weight of [kl] 1 -> 4.\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_what_a_terminal_would_forget_is_kept_in_the_run(
    now: SimpleNamespace, tmp_path: Path, terminal: bool
) -> None:
    """Where the output goes to a file, that is the log."""
    folder = RunFolder(tmp_path)
    progress = Progress(Console(file=io.StringIO(), force_terminal=terminal))

    def train() -> None:
        with progress:
            progress.keep(folder)
            progress.epoch("epoch 1/3")
            progress.note("pause", "paused")
            progress.note("checkpoint", "checkpoint")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        train()
    said = f"Training in {tmp_path}\nepoch 1/3\nPaused.\nbroken\n"
    assert (folder.log.read_text() if terminal else folder.log.exists()) == (terminal and said)
