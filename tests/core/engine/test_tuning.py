"""What the allocator keeps of freed memory: small temporaries for all threads, large ones not."""

import platform
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.backend,
    pytest.mark.once,
    pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc"),
]

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

if TUNED:
    tuning.share_heap()
    tuning.tune_allocator()
print(kept(256), kept(60), of_a_thread(200))
"""


def megabytes(tuned: bool) -> list[int]:
    command = [sys.executable, "-c", PROGRAM.replace("TUNED", str(tuned))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(one) for one in run.stdout.split()]


def test_small_temporaries_stay_for_all_threads_and_large_ones_go_back() -> None:
    large, small, new = megabytes(tuned=True)
    assert large < 30
    assert small > 50
    assert new < 30
