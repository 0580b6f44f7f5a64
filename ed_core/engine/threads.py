"""How many threads a backend may use; settled before it is imported."""

import os

_OF_BACKENDS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def use_one_thread() -> None:
    """Let every backend that is imported after this compute in one thread.

    For single samples: there several threads are no faster, and on a busy machine each waits for
    the others. JAX knows no such variable, and does not need it.
    """
    os.environ.update(dict.fromkeys(_OF_BACKENDS, "1"))
