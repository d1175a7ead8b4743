"""The runtime's chatter on standard error: its INFO lines are left out, everything else comes out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge.model.runtime import quiet


@pytest.mark.big
def test_a_command_that_opens_a_model_says_nothing_of_its_own_on_standard_error(tmp_path: Path, runtime: str) -> None:
    """Nearly every command began with `INFO: Created TensorFlow Lite XNNPACK delegate for CPU.`"""
    done = subprocess.run([sys.executable, "-m", "edge", "model", "verify", "starter", "--runtime", runtime, "--state-dir",
                           str(tmp_path)], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == "" and "XNNPACK" in done.stdout


def test_warnings_errors_and_other_words_still_come_out(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"INFO: Created a delegate.\nWARNING: slow\nINFO edge: hearing\nERROR: no such")
        assert capfd.readouterr().err == ""
    os.write(2, b" thing\n")
    assert capfd.readouterr().err == "WARNING: slow\nINFO edge: hearing\nERROR: no such thing\n"


def test_an_error_inside_is_raised_and_standard_error_is_whole_again(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), quiet():
        os.write(2, b"ERROR: cause\n")
        raise ValueError("broken")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "ERROR: cause\nafter\n"


def test_two_threads_at_once_leave_standard_error_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    def open_often() -> None:
        for _ in range(200):
            with quiet():
                os.write(2, b"INFO: one\n")

    threads = [threading.Thread(target=open_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
