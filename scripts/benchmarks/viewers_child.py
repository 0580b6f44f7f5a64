"""A process of `viewers.py`: a trainer, a viewer, or one that is busy with nothing.

viewers_child.py train OUT MODEL DATA EPOCHS | view RUN | busy CORES
"""

import signal
import sys
import time
from typing import Any

import numpy as np

_EVERY = 10  # steps from frame to frame: the same frames in every training
_SLICE = 0.02  # seconds, of a busy process


def train(out: str, model: str, data: str, epochs: str) -> None:
    """Train; say the folder, wait for a line after the first epoch, say what a step took.

    That is in milliseconds, on the clock and of the processor, over all epochs but the first one,
    which compiles, and without their validation.
    """
    import keras

    import ed_core

    class Times(keras.callbacks.Callback):
        steps = 0
        spent = np.zeros(2)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                sys.stdin.readline()
                self.steps, self.spent = 0, np.zeros(2)
            self.began = np.array([time.monotonic(), time.process_time()])

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.now = np.array([time.monotonic(), time.process_time()])
            self.batches = batch + 1

        def on_test_begin(self, logs: Any = None) -> None:
            self.steps += self.batches
            self.spent += self.now - self.began

    times = Times()
    ed_core.train(
        model,
        data,
        out=out,
        epochs=int(epochs),
        every=_EVERY,
        callbacks=[times],
        started=lambda folder: print(folder.path, flush=True),
    )
    print(*(1000 * times.spent / times.steps), flush=True)


def view(run: str) -> None:
    """Follow a run in a window until SIGTERM closes it; say when the first frame was drawn."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from ed_viewer.app import make_window

    app = QApplication(sys.argv[:1])
    window = make_window(app, [run])
    said: list[object] = []

    def drawn(frame: object) -> None:
        if not said:
            print("drawn", flush=True)
        said[:] = [frame]

    window.session.drawn.connect(drawn)
    window.show()
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    timer = QTimer()  # lets Python see the signal
    timer.timeout.connect(lambda: None)
    timer.start(100)
    app.exec()


def busy(cores: str) -> None:
    """Take a share of a processor and touch nothing."""
    print("busy", flush=True)
    while True:
        end = time.thread_time() + float(cores) * _SLICE
        began = time.monotonic()
        while time.thread_time() < end:
            pass
        time.sleep(max(_SLICE - (time.monotonic() - began), 0.0))


if __name__ == "__main__":
    {"train": train, "view": view, "busy": busy}[sys.argv[1]](*sys.argv[2:])
