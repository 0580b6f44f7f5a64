"""Progress of a training: a bar on a terminal, a line an epoch elsewhere."""

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

from ed_core.recording import RunFolder

_PAUSE = 0.1  # seconds from update to update


class Progress:
    """Display of epoch, loss per head, samples per second and time left during training.

    Use as a context manager around the training, with `callback` among its callbacks.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.callback = _Watcher(self)
        self.seconds = 0.0
        self.batch_size = self.epochs = 0
        self.unit = "samples"
        self._held: float | None = None
        self._lost = 0.0
        self._log: Path | None = None
        self._bar = Bar(
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True, min_width=5)),
            TextColumn("left"),
            BarColumn(bar_width=12),
            TextColumn(
                "{task.description}",
                table_column=Column(overflow="ellipsis", no_wrap=True, ratio=1),
            ),
            console=console,
            get_time=self.clock,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("compiling", total=None)

    def __enter__(self) -> "Progress":
        self._began = self.clock()
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds = self.clock() - self._began
        self._bar.stop()
        self._write(f"{exc[1]}" if exc[0] else f"Trained in {self.seconds:.0f} s")

    def keep(self, folder: RunFolder) -> None:
        """Also write the output into the run's folder, as a log."""
        if self.console.is_terminal:
            self._log = folder.log
            self._write(f"Training in {folder.path}")

    def _write(self, text: str) -> None:
        if self._log:  # a full disk is reported by the other writers to it
            with suppress(OSError), open(self._log, "a", encoding="utf-8") as log:
                log.write(f"{text}\n")

    def clock(self) -> float:
        """Return seconds of a clock that stops while the training is paused."""
        return (time.monotonic() if self._held is None else self._held) - self._lost

    def note(self, kind: str, text: str) -> None:
        """Print an event, except checkpoints, which are many; a pause is no training time."""
        if kind == "pause" and self._held is None:
            self._held = time.monotonic()
            self._bar.update(self._task, description="paused")
        elif kind == "resume" and self._held is not None:
            self._lost += time.monotonic() - self._held
            self._held = None
        if kind != "checkpoint":
            self._write(f"{text[:1].upper()}{text[1:]}.")
            self.console.print(f"{text[:1].upper()}{text[1:]}.", soft_wrap=True, markup=False)

    def plan(self, info: Mapping[str, Any]) -> None:
        """Read the number of epochs, the samples a step and the words for them from `run.json`."""
        self.batch_size, self.epochs = int(info["batch_size"]), int(info["epochs"])
        kinds = {facts["kind"] for facts in info.get("fields", {}).values()}
        self.unit = "images" if "image" in kinds and not kinds & {"signal", "video"} else "samples"

    def update(self, text: str, done: int, total: int) -> None:
        """Show the state of the training on a terminal."""
        self._bar.update(self._task, description=text, completed=done, total=total)

    def epoch(self, text: str) -> None:
        """Print an epoch's line unless there is a bar, and log it."""
        self._write(text)
        if not self.console.is_terminal:
            self.console.print(text, soft_wrap=True)


class _Watcher(keras.callbacks.Callback):
    """Callback that counts steps and samples, and updates the display at intervals."""

    lazy_logs = True

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._rate = 0.0
        self._next = 0.0
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._began = self._progress.clock()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = self._progress.clock()
        if now < self._next:
            return
        self._next = now + _PAUSE
        self._rate = self._samples_per_second(batch + 1, now)
        steps, epochs = self.params["steps"] or 0, self._epochs
        done = self._epoch * steps + batch + 1
        self._progress.update(self._text(logs or {}), done, epochs * steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self._rate:
            self._rate = self._samples_per_second(self.params["steps"] or 0, self._progress.clock())
        self._progress.epoch(self._text(logs or {}))

    @property
    def _epochs(self) -> int:
        # The rest of a half-done epoch is a `fit` of its own, which sees only that rest.
        return self._progress.epochs or int(self.params["epochs"])

    def _samples_per_second(self, batches: int, now: float) -> float:
        elapsed = now - self._began
        return batches * self._progress.batch_size / elapsed if elapsed else 0.0

    def _text(self, logs: dict[str, float]) -> str:
        names = ["loss", *(n for n in logs if n != "loss" and not n.startswith("val_")), "val_loss"]
        parts = [f"{name.removesuffix('_loss')} {logs[name]:.4g}" for name in names if name in logs]
        head = f"epoch {self._epoch + 1}/{self._epochs}"
        return "  ".join([head, f"{self._rate:,.0f} {self._progress.unit}/s", *parts])
