"""Settings that speed up training on a CPU at no cost; figures in docs/backends.md."""

import ctypes
import platform
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import keras

from ed_core.engine.randomness import seed_generators

_XLA_STEPS = 2000  # which take as long as compiling them, in what XLA saves
_FAST_BY_XLA = {
    getattr(keras.layers, name)
    for name in ("InputLayer", "Dense", "Flatten", "Reshape", "Activation", "ReLU", "Concatenate")
}

# glibc's malloc.h
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -3, -4, -8
_KEPT = 64 * 2**20  # bytes: larger temporaries would each leave a hole of their size in the heap


def share_heap() -> None:
    """Let all threads take memory from one heap on JAX: what one gives back, another one takes.

    Of threads that have none yet; each heap of glibc keeps for itself what was freed there, and
    takes no piece above 64 MiB. Linux with glibc only; does nothing elsewhere.
    """
    if keras.config.backend() == "jax":
        _mallopt({_M_ARENA_MAX: 1})


def tune_allocator() -> None:
    """Keep temporaries in the process instead of faulting them in again at every step.

    On JAX those up to 64 MiB: XLA's largest, of a network on large images, go back. Linux with
    glibc only; does nothing elsewhere.
    """
    on_jax = keras.config.backend() == "jax"
    kept = {_M_MMAP_THRESHOLD: _KEPT} if on_jax else {_M_MMAP_MAX: 0}
    _mallopt({**kept, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 256 * 2**20})


def _mallopt(settings: Mapping[int, int]) -> None:
    if _has_glibc():
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in settings.items():
            mallopt(parameter, value)


@cache
def _has_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


def jit_compile(model: Any = None, steps: int = 0) -> bool | str:
    """Return what `compile(jit_compile=)` should be.

    On TensorFlow's CPU XLA makes convolutions two to three times slower, and dense nets that draw
    no numbers a sixth faster, once the seconds that it compiles are made good.

    Args:
        model: that is compiled; None where XLA is not wanted on TensorFlow's CPU.
        steps: that it is trained for.
    """
    if keras.config.backend() != "tensorflow":
        return "auto"
    import tensorflow

    if tensorflow.config.list_physical_devices("GPU"):
        return "auto"
    if model is None or steps < _XLA_STEPS:
        return False
    draws = seed_generators(model)  # XLA draws other numbers than TensorFlow itself
    return not draws and all(type(layer) in _FAST_BY_XLA for layer in layers_of(model))


def layers_of(model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of its submodels, each model's own in order."""
    for layer in model.layers:
        yield from layers_of(layer) if hasattr(layer, "layers") else (layer,)


def wake() -> None:
    """Let the backend find its devices now, so that what it prints comes at one time."""
    if keras.config.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.list_logical_devices()
