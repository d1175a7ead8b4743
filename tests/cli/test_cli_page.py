"""`edge-audio page` as a process: its password, its refusals, its end."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
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
