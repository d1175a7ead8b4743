"""`edge-audio page` as a process: its password, its refusals, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from edge.page.password import PASSWORD, load_password

pytestmark = pytest.mark.big
PATIENCE_SECONDS = 60


def page(*arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "edge", "page", *arguments], input=told, capture_output=True, text=True,
                          timeout=PATIENCE_SECONDS, check=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_network_without_a_password_is_refused(tmp_path: Path, address: str) -> None:
    done = page("--bind", address, "--port", "0", "--state-dir", str(tmp_path))
    assert done.returncode == 2 and f"edge-audio page --set-password --state-dir {tmp_path}" in done.stderr


def test_a_password_is_set_from_standard_input(tmp_path: Path) -> None:
    done = page("--set-password", "--state-dir", str(tmp_path / "state"), told="correct horse\n")
    assert done.returncode == 0 and "correct horse" not in done.stdout + done.stderr
    assert stat.S_IMODE((tmp_path / "state" / PASSWORD).stat().st_mode) == 0o600
    kept = load_password(tmp_path / "state")
    assert kept is not None and kept.fits("correct horse") and not kept.fits("correct horse ")
    assert page("--set-password", "--state-dir", str(tmp_path / "state"), told="short\n").returncode == 2


@pytest.mark.parametrize(("arguments", "words"), [
    (["--bind", "board.local"], "an address of this machine"), (["--prefix", "kitchen"], "begins with '/'"),
    (["--bind", "192.0.2.1"], "--set-password"), (["--port", "70000"], "0 to 65535")])
def test_what_cannot_be_served_is_named(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = page(*arguments, "--state-dir", str(tmp_path))
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-m", "edge", "page", "--port", "0", "--state-dir", str(tmp_path)],
                             stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", first.stderr.readline())
        assert found is not None
        second = page("--port", found[1], "--state-dir", str(tmp_path))
        assert second.returncode == 2 and "Address already in use" in second.stderr
        with urllib.request.urlopen(found[0], timeout=PATIENCE_SECONDS) as answer:
            assert b"<title>edge-audio" in answer.read()
        os.kill(first.pid, signal.SIGTERM)
        assert first.wait(PATIENCE_SECONDS) == 0
    finally:
        first.kill()
        first.wait()
        first.stderr.close()


def resident_kilobytes(process: int) -> int:
    """VmRSS, with what it shares with others."""
    (line,) = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


def jiffies(process: int) -> int:
    """Processor time of a process, in hundredths of a second."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def test_while_nobody_looks_it_costs_next_to_nothing(tmp_path: Path) -> None:
    """Before the first who comes, and again some time after the last: the same process and port, 30 MB at most, and no
    processor time at all. `python -m pytest -rP` prints what was measured, and what the first answers took."""
    served = subprocess.Popen([sys.executable, "-m", "edge", "page", "--port", "0", "--state-dir", str(tmp_path)],
                              stderr=subprocess.PIPE, text=True, env={**os.environ, "EDGE_AUDIO_PAGE_IDLE": "1"})
    assert served.stderr is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+/", served.stderr.readline())
        assert found is not None
        time.sleep(1.0)
        first, wakes = resident_kilobytes(served.pid), []
        for _ in range(3):
            asleep_yet = jiffies(served.pid)
            with urllib.request.urlopen(f"{found[0]}api/state", timeout=PATIENCE_SECONDS) as answer:
                assert json.load(answer)["away"] == "no appliance"
            wakes.append(jiffies(served.pid) - asleep_yet)
            awake = resident_kilobytes(served.pid)
            assert awake > first
            deadline = time.monotonic() + PATIENCE_SECONDS
            while resident_kilobytes(served.pid) > 30_000 or not asleep(served.pid):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        again, before = resident_kilobytes(served.pid), jiffies(served.pid)
        time.sleep(2.0)
        assert jiffies(served.pid) == before
        print(f"page idle: {again / 1000:.1f} MB (at the start {first / 1000:.1f}), while it serves {awake / 1000:.1f}; "
              f"processor time of a first answer: {', '.join(f'{each / 100:.2f}' for each in wakes)} s")
        served.terminate()
        assert served.wait(PATIENCE_SECONDS) == 0
    finally:
        served.kill()
        served.wait()
        served.stderr.close()


def asleep(process: int) -> bool:
    """Whether it waits at its door: one thread, in poll."""
    status = Path(f"/proc/{process}/status").read_text()
    return "State:\tS" in status and "Threads:\t1\n" in status
