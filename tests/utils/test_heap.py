"""The memory of pictures stays with the process that reads them."""

import subprocess
import sys

import pytest

from fer_bench.utils.heap import keep_freed_memory

PICTURES = """
import resource
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from fer_bench.utils.heap import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
def picture(i):
    whole = np.ones((762, 562, 3), dtype=np.uint8)
    bigger = np.ones((1000 + i % 7, 900, 3), dtype=np.float32)
    return whole[::4].copy(), bigger[::9].copy()
def read(n):
    with ThreadPoolExecutor(2) as pool:
        for small in pool.map(picture, range(n)):
            pass
read(20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
read(100)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(*, keep: bool) -> int:
    command = [sys.executable, "-c", PICTURES.format(keep=keep)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library here keeps what it likes")
def test_pictures_take_the_memory_of_those_before_them():
    """A hundred pictures read in two threads get a fifth of the fresh pages that they get without it."""
    assert 5 * pages(keep=True) < pages(keep=False)


def test_a_process_without_pictures_is_as_it_was():
    """Importing the package changes nothing: only who reads pictures keeps memory."""
    code = "import fer_bench, sys; print('fer_bench.utils.heap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
