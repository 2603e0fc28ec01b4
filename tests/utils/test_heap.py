"""The memory of pictures stays with the process that reads them."""

import subprocess
import sys

import pytest

from fer_bench.utils.heap import keep_freed_memory

PICTURES = """
import resource
import numpy as np
from fer_bench.utils.heap import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
def read(n):
    for i in range(n):
        held = [np.ones(4 << 20, dtype=np.uint8) for picture in range(20)]
        del held
read(2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
read(10)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(*, keep: bool) -> int:
    command = [sys.executable, "-c", PICTURES.format(keep=keep)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library here keeps what it likes")
def test_pictures_take_the_memory_of_those_before_them():
    """Of 80 MB that are freed and asked for again, a tenth at most is fetched anew; without the call, all is."""
    assert 10 * pages(keep=True) < pages(keep=False)


def test_a_process_without_pictures_is_as_it_was():
    """Importing the package changes nothing: only who reads pictures keeps memory."""
    code = "import fer_bench, sys; print('fer_bench.utils.heap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
