"""What recording costs: epochs with the recorder beside epochs without, in turns, in one run.

EDKIT_DATA=../shared/data python scripts/bench_recorder.py conv_autoencoder fashion_mnist
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


def main(model="dense_autoencoder", data="fashion_mnist", rounds="5"):
    """Print the medians and their ratio."""
    times = {True: [], False: []}
    for number in range(int(rounds)):
        for record in (True, False) if number % 2 else (False, True):
            times[record] += epochs_of(model, data, record)
    with_it, without = (statistics.median(times[record]) for record in (True, False))
    print(
        f"{model} on {data}, {keras.config.backend()}: an epoch takes {with_it:.2f} s with the "
        f"recorder and {without:.2f} s without, ratio {with_it / without:.3f} "
        f"(medians of {len(times[True])})"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
