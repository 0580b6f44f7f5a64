"""Random state of a model: seeded from the run, saved and restored with it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from ed_core.seeds import Seeds


@contextmanager
def initial_weights_from(seed: int) -> Iterator[None]:
    """Let the layers built in this block draw their initial weights from `seed`.

    An initialiser without a seed takes one from Python's generator, which nothing else draws from.
    Not `set_random_seed`, which imports TensorFlow wherever it is installed (4 s) and leaves global
    state behind.
    """
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def seed_generators(model: Any) -> list[Any]:
    """Return the state variables of all seed generators of a model, in a fixed order."""
    return [v for v in model.variables if v.path.rsplit("/", 1)[-1] == "seed_generator_state"]


def reseed(model: Any, seeds: Seeds | int) -> None:
    """Give every generator of the model, and the backend's, a state that follows from the seed."""
    seeds = Seeds(seeds) if isinstance(seeds, int) else seeds
    for number, state in enumerate(seed_generators(model)):
        derived = seeds.integer("layer", number)
        state.assign(np.array([derived, 0]).astype(state.dtype))
    if keras.config.backend() == "torch":  # a Dropout without a seed draws from torch's own
        import torch

        torch.manual_seed(seeds.seed if seeds.shared else seeds.integer("backend"))


def global_state() -> np.ndarray:
    """Return the backend's own random state as bytes; empty where the backend has none."""
    if keras.config.backend() != "torch":
        return np.zeros(0, "uint8")
    import torch

    return torch.get_rng_state().numpy()


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Put back the states of all generators of a model, and the backend's, after this block."""
    states = [
        (state, np.array(keras.ops.convert_to_numpy(state))) for state in seed_generators(model)
    ]
    before = global_state()
    try:
        yield
    finally:
        for state, value in states:
            state.assign(value)
        restore_global_state(before)


def restore_global_state(state: np.ndarray) -> None:
    """Set the backend's own random state."""
    if keras.config.backend() == "torch" and state.size:
        import torch

        torch.set_rng_state(torch.from_numpy(state.copy()))
