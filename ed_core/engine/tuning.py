"""Settings that speed up training on a CPU at no cost; figures in docs/backends.md."""

import ctypes
import platform
import sys

import keras

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # glibc's malloc.h


def tune_allocator() -> None:
    """Keep large temporaries in the process instead of faulting them in again at every step.

    Linux with glibc only; does nothing elsewhere.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 256 * 2**20)


def jit_compile() -> bool | str:
    """Return what `compile(jit_compile=)` should be.

    XLA makes convolutions two to three times slower on TensorFlow's CPU.
    """
    if keras.config.backend() != "tensorflow":
        return "auto"
    import tensorflow

    return "auto" if tensorflow.config.list_physical_devices("GPU") else False


def wake() -> None:
    """Let the backend find its devices now, so that what it prints comes at one time."""
    if keras.config.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.list_logical_devices()
