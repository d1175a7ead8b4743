"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FREE = """
import os
from edge.control.memory import give_back
from tests.endurance.vitals import vitals
held = [bytearray(32_000) for _ in range(2_000)]
kept = held[::20]
full = vitals(os.getpid()).anonymous
del held
freed = vitals(os.getpid()).anonymous
give_back()
print(full - freed, freed - vitals(os.getpid()).anonymous)
"""

LARGE = """
import os, sys
from edge.control.memory import keep_together
from tests.endurance.vitals import vitals
if sys.argv[1] == "apart":
    keep_together()
del (once := [bytearray(20_000_000)])[0]
large, small = [], []
for _ in range(40):
    large.append(bytearray(b"." * 1_000_000))
    small.append(bytearray(100_000))
full = vitals(os.getpid()).anonymous
del large
print(full - vitals(os.getpid()).anonymous)
"""


@pytest.mark.big
@pytest.mark.parametrize(("how", "all_of_it"), [("apart", True), ("as glibc has it", False)])
def test_large_blocks_go_back_though_small_ones_lie_between_them(how: str, all_of_it: bool) -> None:
    """40 MB are freed. By itself glibc keeps them, once a larger block was freed before."""
    done = subprocess.run([sys.executable, "-c", LARGE, how], cwd=ROOT, check=True, capture_output=True, text=True,
                          timeout=60.0)
    assert (int(done.stdout) > 35_000) is all_of_it


@pytest.mark.big
def test_what_lies_free_between_what_is_kept_is_given_back() -> None:
    """Of 64 MB in pieces, one of twenty is kept: the system gets little of the rest by itself."""
    done = subprocess.run([sys.executable, "-c", FREE], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60.0)
    by_itself, given = map(int, done.stdout.split())
    assert given > 30_000 > by_itself
