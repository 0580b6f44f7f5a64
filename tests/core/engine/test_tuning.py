"""Settings that follow from the backend and the model: the allocator, and XLA."""

import platform
import subprocess
import sys

import keras
import pytest

from ed_core.engine import tuning

pytestmark = pytest.mark.backend

PROGRAM = """
from pathlib import Path
from threading import Thread
from ed_core.engine import tuning

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

def kept(size):
    before = resident()
    b"x" * (size << 20)
    return resident() - before

def of_a_thread(count):
    thread = Thread(target=lambda: [b"x" * 2**20 for _ in range(count)])
    thread.start()
    thread.join()
    before = resident()
    blocks = [b"x" * 2**20 for _ in range(count)]
    return resident() - before

tuning.share_heap()
tuning.tune_allocator()
print(kept(256), kept(60), of_a_thread(200))
"""


def megabytes() -> list[int]:
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(one) for one in run.stdout.split()]


@pytest.mark.once
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc")
def test_small_temporaries_stay_for_all_threads_and_large_ones_go_back() -> None:
    large, small, new = megabytes()
    assert large < 30
    assert small > 50
    assert new < 30


def test_xla_compiles_dense_nets_of_long_trainings_on_tensorflow() -> None:
    if keras.config.backend() != "tensorflow":
        assert tuning.jit_compile() == "auto"
        return
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    nested = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    image = keras.Input((4, 4, 1))
    conv = keras.Model(image, nested(image))
    assert tuning.jit_compile() is False
    assert tuning.jit_compile(dense, 100) is False
    assert tuning.jit_compile(dense, 10_000) is True
    assert tuning.jit_compile(conv, 10_000) is False
    drawing = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5, seed=1)])
    assert tuning.jit_compile(drawing, 10_000) is False
