"""Cost of recording: epochs with the recorder beside epochs without, in turns, in one run.

EDKIT_DATA=../shared/data python scripts/benchmarks/recorder.py conv_autoencoder fashion_mnist
"""

import statistics
import sys
import tempfile
import time

import keras

import ed_core


class EpochTimes(keras.callbacks.Callback):
    """Notes how long every epoch takes, its validation left out."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self.began = time.monotonic()

    def on_test_begin(self, logs=None):
        """Stop the clock: the validation begins."""
        self.seconds.append(time.monotonic() - self.began)


def epochs_of(model, data, record):
    """Return the seconds of every epoch but the first, which compiles."""
    times = EpochTimes()
    with tempfile.TemporaryDirectory() as out:
        ed_core.train(model, data, epochs=4, out=out, record=record, callbacks=[times])
    return times.seconds[1:]


def main(model="dense_autoencoder", data="fashion_mnist", pairs="8"):
    """Print how much longer an epoch takes with the recorder, pair by pair."""
    ratios = []
    for number in range(int(pairs)):
        order = (True, False) if number % 2 else (False, True)
        median = {record: statistics.median(epochs_of(model, data, record)) for record in order}
        ratios.append(median[True] / median[False])
        print(f"pair {number + 1}: {median[True]:.2f} s / {median[False]:.2f} s", flush=True)
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    print(
        f"{model} on {data}, {keras.config.backend()}: with the recorder an epoch takes "
        f"{middle:.3f} of the time without: the median of {pairs} pairs, {low:.3f} to {high:.3f}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
