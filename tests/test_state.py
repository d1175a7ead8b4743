"""The state directory: nobody else looks into it, and no second appliance uses it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli.checkup.checkup import check
from edge.settings import Settings, SourceSettings
from edge.sinks.watching.socket import NAME
from edge.state import held, private_folder
from tests.cli.test_cli import ROOT, complaint, edge_audio, write_wav
from tests.fakes import silence

pytestmark = pytest.mark.big
PATIENCE_SECONDS = 60


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """The state directory of an appliance that runs for a minute."""
    sound = write_wav(tmp_path / "quiet.wav", silence(60.0))
    state = tmp_path / "state"
    with subprocess.Popen([sys.executable, "-m", "edge", "run", "--file", sound, "--state-dir", state], cwd=ROOT,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (state / NAME).exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        yield state
        process.send_signal(signal.SIGTERM)


def said_of(state_dir: Path) -> str:
    """What `edge-audio check` says of a state directory."""
    settings = Settings(source=SourceSettings(kind="file", path="sound.wav"))
    return next(finding.text for finding in check(settings, state_dir) if finding.part == "state")


@pytest.mark.big
def test_a_second_appliance_is_refused_and_everything_else_is_not(running: Path, tmp_path: Path) -> None:
    """Two of them drove the same pins, and each took the other's connection to the broker away, again and again."""
    sound = write_wav(tmp_path / "short.wav", silence(1.0))
    line = complaint(edge_audio("run", "--file", sound, "--fast", "--state-dir", running, code=2))
    assert stat.S_IMODE(running.stat().st_mode) == 0o700
    assert f"state directory {running}: found another `edge-audio run`" in line and "--state-dir" in line
    edge_audio("run", "--file", sound, "--fast", "--state-dir", tmp_path / "another")
    edge_audio("classify", sound, "--state-dir", running)
    assert said_of(running).endswith("can be written")
    edge_audio("feedback", "--list", "--state-dir", running)


@pytest.mark.big
def test_a_directory_is_free_again_after_a_kill(tmp_path: Path) -> None:
    script = ("import pathlib, sys, time\nfrom edge.state import held\n"
              "with held(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(100)")
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        process.kill()
        process.wait()
    with held(tmp_path):
        pass


def test_what_is_made_is_for_its_owner_alone_and_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """The state directory was open to every user, and with it what was taught, and when somebody was at home."""
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    there.chmod(0o755)
    before = os.umask(0o022)
    try:
        private_folder(there / "state" / "models")
        private_folder(there)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (there, there / "state", there / "state" / "models")]
    assert modes == [0o755, 0o700, 0o700]
    assert f"`chmod 700 {there}`" in said_of(there) and said_of(there / "state").endswith("can be written")


@pytest.mark.big
def test_a_run_that_keeps_nothing_leaves_no_directory(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "short.wav", silence(1.0))
    edge_audio("run", "--file", sound, "--fast", "--state-dir", tmp_path / "state")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("blocked", ["a file", "no folder can be made"])
def test_where_nothing_can_be_held_hearing_goes_on_and_it_is_said(blocked: str, tmp_path: Path,
                                                                 caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("")
    with held(tmp_path / "state" if blocked == "a file" else tmp_path / "state" / "deeper"):
        assert "nobody will notice a second appliance" in caplog.text
