"""Threads of a backend, set before it is imported."""

import os
from collections.abc import MutableMapping

_SPINS = "1000"  # some 20 microseconds; by default it is milliseconds
_ONE = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    # Between operations TensorFlow has a second: with one alone a training once stood still before
    # its first step.
    "TF_NUM_INTEROP_THREADS": "2",
}


def use_one_thread() -> None:
    """Let every backend that is imported after this compute in one thread.

    For single samples: there several threads are no faster, and on a busy machine each waits for
    the others. JAX knows no such variable, and does not need it.
    """
    os.environ.update(_ONE)


def share_processors(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait for each other sleep soon, where a window needs their processors.

    PyTorch's on a CPU are those of GNU OpenMP: by default they wait without giving theirs away, for
    the one whose processor the window has. See docs/performance.md. What the user has set holds.

    Args:
        environment: of the process that trains; a backend in it is imported after this.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", _SPINS)
