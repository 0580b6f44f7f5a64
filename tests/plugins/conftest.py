"""What every trained model must show, whatever it learns."""

from collections.abc import Callable

import numpy as np
import pytest

from ed_core import Run, floors
from ed_core.evaluation import predict
from ed_core.submodels import to_numpy


def trained(run: Run, head: str) -> None:
    """Assert that every weight moved, and that the output of a head depends on the input."""
    before = floors.untrained(run)
    for old, new in zip(before.trainable_weights, run.model.trainable_weights, strict=True):
        assert not np.array_equal(to_numpy(old), to_numpy(new)), f"{new.path} did not move"
    arrays = {name: np.asarray(values[:32]) for name, values in run.data.splits["test"].items()}
    output = predict(run.model, arrays)[head]
    # Of a model that ignores its input, all rows are the same.
    assert output.std(axis=0).max() > 0.01, f"{head} is the same for every sample"


@pytest.fixture(scope="session")
def check_trained() -> Callable[[Run, str], None]:
    """Compare a run with its untrained model, and its outputs with each other."""
    return trained
