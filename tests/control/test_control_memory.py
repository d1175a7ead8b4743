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


@pytest.mark.big
def test_what_lies_free_between_what_is_kept_is_given_back() -> None:
    """Of 64 MB in pieces, one of twenty is kept: the system gets little of the rest by itself."""
    done = subprocess.run([sys.executable, "-c", FREE], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60.0)
    by_itself, given = map(int, done.stdout.split())
    assert given > 30_000 > by_itself
