"""Rate of a training: a model trained in this process for a while, whenever that is asked for."""

import time
from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

import keras

from ed_core.data.loading import load_data, settle_data
from ed_core.engine.backend_table import ROUND
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.spec import Dataset, DatasetSpec
from ed_core.runs.checkpoints import Position
from ed_core.training.callbacks import Order
from ed_core.training.job import Job
from ed_core.training.options import Plan

_SAMPLES = 1024  # of an epoch, at most: eight batches
_FEW = 256  # of an epoch, where samples are large
_NUMBERS = 2**20  # of an epoch: 1,024 images of 32 x 32
_MANY = 10**6  # epochs: a training that ends when nothing more is asked
_PART = "first_samples"


def train_in_rounds(model: str, asked: Callable[[], bool], tell: Callable[[float], None]) -> None:
    """Train a model on the beginning of its own data, for a while whenever it is asked for.

    What is told first is of the warm-up, in which the model was compiled.

    Args:
        model: the name of a registered model; its options are the defaults.
        asked: waits, and returns whether there is to be one more round.
        tell: is given the samples a second of each.

    Raises:
        EdkitError: the data are not there, or do not suit the model.
    """
    spec = MODELS[model]
    text = settle_data(spec.data)
    DATASETS.add(_PART, DatasetSpec(_PART, lambda: _beginning(text)))
    params = spec.check({})
    plan = Plan(spec.name, _PART, params, epochs=_MANY, validation=0.0, record=False)
    job = Job.prepare(spec, plan)
    rounds = Rounds(job.batches.samples, asked, tell)
    job._fit(Position(0, 0, 0), [Order(job.batches), rounds])


def _beginning(text: str) -> Dataset:
    """Return the first samples that a data set has to train on."""
    data = load_data(text)
    size = max(prod(field.shape) for field in data.fields.values())
    count = min(max(_NUMBERS // size, _FEW), _SAMPLES)
    train = {name: array[:count] for name, array in data.splits["train"].items()}
    return replace(data, splits={"train": train}, whole=None, groups=None)


class Rounds(keras.callbacks.Callback):
    """Callback that times whole epochs, and waits between the rounds."""

    lazy_logs = True

    def __init__(
        self, samples: int, asked: Callable[[], bool], tell: Callable[[float], None]
    ) -> None:
        super().__init__()
        self._samples, self._asked, self._tell = samples, asked, tell
        self._epochs, self._least = 0, 2  # the first of the warm-up compiles
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin a round, unless one is going on."""
        if not self._epochs:
            self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """End a round that took long enough."""
        self._epochs += 1
        seconds = time.perf_counter() - self._began
        if self._epochs < self._least or seconds < ROUND:
            return
        self._tell(self._epochs * self._samples / seconds)
        self._epochs, self._least = 0, 1
        if not self._asked():
            self.model.stop_training = True
