"""The journal's memory: what SQLite keeps of the file is bounded, however many events come."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVENTS_FIRST, EVENTS_LATER, AT_ONCE = 400, 3_600, 20
MOST_KILOBYTES = 1_024
WRITE = """
import os
import sys
from pathlib import Path
from tests.endurance.vitals import vitals
from tests.sinks.journal_process import Process
process, at_once = Process(Path(sys.argv[1]), events=10_000), int(sys.argv[2])
for count in map(int, sys.argv[3:]):
    for _ in range(count // at_once):
        process.make(at_once)
        process.deliver()
    print(vitals(os.getpid()).anonymous)
process.writer.close()
"""


@pytest.mark.big
def test_thousands_of_events_take_no_more_memory_than_hundreds(tmp_path: Path) -> None:
    """SQLite's own bound of 2 MB was reached after days: an appliance grew by as much, and looked as if it leaked."""
    done = subprocess.run([sys.executable, "-c", WRITE, str(tmp_path), *map(str, (AT_ONCE, EVENTS_FIRST, EVENTS_LATER))],
                          cwd=ROOT, check=True, capture_output=True, text=True, timeout=300.0)
    first, later = map(int, done.stdout.split())
    assert (tmp_path / "journal.sqlite3").stat().st_size > 1_500_000
    assert later - first < MOST_KILOBYTES
