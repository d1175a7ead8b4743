"""`edge-audio watch` in pipes and beside a real appliance: JSON lines, an appliance that stops, is killed, comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.control.loading import load_model
from edge.sinks.watching.socket import NAME
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import classify
from tests.cli.pseudo_terminal import PATIENCE_SECONDS, ROOT, Watched
from tests.cli.test_cli import complaint, edge_audio

pytestmark = pytest.mark.big

CLAPS = ROOT / "models/demo/claps.wav"


@contextmanager
def appliance(state_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real one that hears five minutes of claps in real time; here once it can be watched."""
    recording = state_dir / "long.wav"
    with wave.open(str(CLAPS)) as claps, wave.open(str(recording), "wb") as long:
        long.setparams(claps.getparams())
        long.writeframes(20 * claps.readframes(claps.getnframes()))
    with subprocess.Popen([sys.executable, "-m", "edge", "run", "--file", str(recording), "--state-dir", str(state_dir)],
                          cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (state_dir / NAME).exists() or process.poll() is not None:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        yield process
        process.kill()


@contextmanager
def watcher(state_dir: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`edge-audio watch` into a pipe."""
    with subprocess.Popen([sys.executable, "-m", "edge", "watch", "--state-dir", str(state_dir), *arguments], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def until(process: subprocess.Popen[str], kind: str) -> list[Any]:
    """Lines up to the first of that kind."""
    assert process.stdout is not None
    told: list[Any] = []
    while not told or told[-1]["kind"] != kind:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        told.append(json.loads(line))
    return told


def test_a_recording_piped_loses_nothing_and_tells_what_classify_tells() -> None:
    told = [json.loads(line) for line in edge_audio("watch", "--file", CLAPS, "--fast").stdout.splitlines()]
    assert {each["schema"] for each in told} == {1}
    kinds = Counter(each["kind"] for each in told)
    assert set(kinds) <= {"about", "hearing", "event", "refusal"}
    result = classify(load_model("starter"), CLAPS, hop_seconds=0.24)
    starts = [each["start"] for each in told if each["kind"] == "hearing"]
    assert starts == [round(seconds * SAMPLE_RATE) for seconds in result.starts] and kinds["about"] == 1
    assert [each["start"] for each in told if each["kind"] == "event" and each["end"] is None] == [
        event.start for event in result.events]
    for each in told:
        if each["kind"] == "hearing" and each["gate_open"]:
            assert len(each["top"]) == 10, "every label is computed, not only those of targets"
    refusals = [each for each in told if each["kind"] == "refusal"]
    assert all(each["reason"] and each["probability"] < 1.0 for each in refusals)


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m edge watch --file {CLAPS} --fast | head -2"], cwd=ROOT,
                          capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_an_appliance_is_watched_and_its_stop_is_told(tmp_path: Path) -> None:
    with appliance(tmp_path) as running, watcher(tmp_path) as watching:
        told = until(watching, "hearing")
        assert told[0]["kind"] == "about" and told[0]["about"]["model"] == "starter"
        assert told[-1]["at"].endswith("Z") and told[-1]["targets"][0]["target"] == "hand_clap"
        assert until(watching, "event")[-1]["event"]["target"] == "hand_clap"
        running.terminate()
        rest, error = watching.communicate(timeout=PATIENCE_SECONDS)
        assert json.loads(rest.splitlines()[-1])["kind"] == "bye"
        assert "the appliance has stopped" in error and watching.returncode == 0


def test_a_killed_appliance_is_told_apart_from_one_that_stopped(tmp_path: Path) -> None:
    with appliance(tmp_path) as running, watcher(tmp_path) as watching:
        until(watching, "hearing")
        running.kill()
        _, error = watching.communicate(timeout=PATIENCE_SECONDS)
        assert "the appliance went away" in error and watching.returncode == 1


def test_ctrl_c_ends_it_well_and_the_appliance_goes_on(tmp_path: Path) -> None:
    with appliance(tmp_path) as running:
        with watcher(tmp_path) as watching:
            until(watching, "hearing")
            watching.send_signal(signal.SIGINT)
            watching.communicate(timeout=PATIENCE_SECONDS)
            assert watching.returncode == 0
        with watcher(tmp_path) as watching:
            until(watching, "hearing")
        assert running.poll() is None


def test_who_waits_sees_the_appliance_come_go_and_come_back(tmp_path: Path) -> None:
    with Watched("--wait", state_dir=tmp_path) as watched:
        watched.until(lambda text: "no appliance yet" in text)
        with appliance(tmp_path) as running:
            watched.until(lambda text: "hand_clap" in text and "gate open" in text)
            running.kill()
            text = watched.until(lambda text: "the appliance went away; waiting" in text)
            assert "gate open" not in text, "what is not heard now is not shown as if it were"
        with appliance(tmp_path):
            watched.until(lambda text: "gate open" in text and "went away" not in text)
            watched.type(b"q")
            assert watched.end() == 0 and watched.restored()


def test_without_an_appliance_one_line_says_what_to_do(tmp_path: Path) -> None:
    line = complaint(edge_audio("watch", "--state-dir", tmp_path, code=1))
    assert str(tmp_path / NAME) in line and "no appliance" in line and "edge-audio run" in line


@pytest.mark.parametrize(("arguments", "words"), [
    (["--fast"], ["--fast", "--file"]), (["--file", str(CLAPS), "--wait"], ["--wait"]), (["--top", "11"], ["0 to 10"]),
    (["--width", "-1"], ["--width"]), (["--format", "screen"], ["no terminal"]),
    (["--file", "nowhere.wav"], ["nowhere.wav"])])
def test_a_mistake_is_one_line_before_anything_is_drawn(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = edge_audio("watch", "--state-dir", tmp_path, *arguments, code=2)
    assert done.stdout == ""
    assert all(word in complaint(done) for word in words)


def test_the_socket_can_be_turned_off(tmp_path: Path) -> None:
    settings = tmp_path / "edge.toml"
    settings.write_text(f'[watch]\nenabled = false\n[source]\nkind = "file"\npath = "{CLAPS}"\n[log]\nevents = ""\n')
    with subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", settings, "--state-dir", tmp_path / "state"],
                          cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ}) as process:
        assert process.stderr is not None
        while "hearing hand_clap" not in process.stderr.readline():
            assert process.poll() is None
        assert list((tmp_path / "state").iterdir()) == []
        process.terminate()
