"""Two at once change what was taught or calibrated: nothing that either of them found is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.control.loading import load_model, model_folder
from edge.errors import ModelError
from edge.learn.calibrate import Budget
from edge.model import taught_file
from edge.model.calibration_file import load_calibration, own_path
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught
from edge.model.taught_file import changing_taught, load_taught
from edge.settings import Settings
from edge.sinks.journal.entries import FILE, recent
from edge.workshop.feedback import take_in
from edge.workshop.lessons import Lessons
from edge.workshop.session import Session

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
RATE = 16_000
PATIENCE_SECONDS = 120.0


class Sitting:
    """A command in a process of its own that hears a room through a pipe: nothing comes until `give`."""

    def __init__(self, folder: Path, state: Path, *words: str) -> None:
        self.pipe, self.said = folder / "pipe", ""
        os.mkfifo(self.pipe)
        config = folder / "sitting.toml"
        config.write_text(f'[source]\nkind = "command"\ncommand = ["cat", "{self.pipe}"]\n', encoding="utf-8")
        self.process = subprocess.Popen([sys.executable, "-m", "edge", *words, "--config", str(config), "--state-dir",
                                         str(state)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def wait_for(self, words: str) -> None:
        """Until it has said this on standard error."""
        assert self.process.stderr is not None
        while words not in self.said:
            line = self.process.stderr.readline()
            assert line, f"it ended: {self.said}"
            self.said += line

    def give(self, samples: np.ndarray) -> None:
        """Have it hear this, five times as fast as a microphone would, and wait for its end."""
        with suppress(BrokenPipeError), self.pipe.open("wb", buffering=0) as pipe:  # broken when it has heard enough
            for start in range(0, len(samples), 1600):
                pipe.write(samples[start: start + 1600].astype("<i2").tobytes())
                time.sleep(0.02)
        _, rest = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, self.said + rest


@contextmanager
def sitting(folder: Path, state: Path, *words: str) -> Iterator[Sitting]:
    one = Sitting(folder, state, *words)
    try:
        yield one
    finally:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def knocks(count: int) -> np.ndarray:
    """A quiet room, and in it one knock every two seconds."""
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, (2 * count + 4) * RATE)
    for number in range(count):
        first = (2 * number + 3) * RATE
        samples[first: first + 1600] += random.normal(0.0, 6000.0, 1600) * np.exp(-np.arange(1600) / 400)
    return np.clip(samples, -32768, 32767).astype(np.int16)


def taught_in(state: Path) -> Taught:
    return load_taught(state, load_manifest(model_folder("starter", state)))


@pytest.mark.big
def test_feedback_during_a_lesson_is_kept_and_so_is_the_lesson(tmp_path: Path) -> None:
    """`teach` read the taught file before its recordings, and wrote it after them: feedback over MQTT meanwhile was lost.

    Nor does feedback wait for the person at the microphone.
    """
    state = tmp_path / "state"
    settings = Settings()
    source = replace(settings.source, kind="file", path=str(DEMO / "siren.wav"), paced=False)
    build(replace(settings, source=source, log=replace(settings.log, events="")), state).run()
    event = next(entry for entry in recent(state / FILE, 50) if entry.cells is not None)
    with sitting(tmp_path, state, "teach", "knock", "--microphone", "--count", "5", "--force") as teach:
        teach.wait_for("make the sound 5 times")
        take_in(settings, state, event.id, right=False)
        assert list(taught_in(state).corrections) == [event.target] and not taught_in(state).names
        teach.give(knocks(6))
    taught = taught_in(state)
    assert taught.names == ("knock",)
    assert list(taught.corrections) == [event.target] and [one.event for one in taught.judgements] == [event.id]


def test_a_second_writer_waits_and_builds_on_the_first(tmp_path: Path) -> None:
    lessons, seen = Lessons("starter", model_folder("starter", tmp_path), tmp_path), threading.Event()

    def second() -> None:
        other = Lessons("starter", lessons.folder, tmp_path)
        seen.set()
        with other.changing():
            other.save(replace(other.taught, change=f"{other.taught.change}, then the second"))

    with lessons.changing():
        thread = threading.Thread(target=second)
        thread.start()
        assert seen.wait(PATIENCE_SECONDS)
        time.sleep(0.3)  # it must not have written by then
        lessons.save(replace(lessons.taught, change="the first"))
    thread.join(PATIENCE_SECONDS)
    assert taught_in(tmp_path).change == "the first, then the second"


def test_who_waits_for_minutes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(taught_file, "PATIENCE_SECONDS", 0.3)
    wanted = pytest.raises(ModelError, match="another `edge-audio teach or feedback` at work")
    with changing_taught(tmp_path), wanted, changing_taught(tmp_path):
        pass
    assert "waiting for it, 0.3 s at most" in caplog.text


@pytest.mark.big
def test_a_calibration_by_clips_during_one_of_the_room_is_kept(tmp_path: Path) -> None:
    """The room's entry was made of what served before the room was heard: the curve found meanwhile was wiped out."""
    state, path = tmp_path / "state", own_path(tmp_path / "state", "starter")
    model = load_model("starter")
    with sitting(tmp_path, state, "calibrate", "--minutes", "0.1", "--target", "siren") as calibrate:
        calibrate.wait_for("hearing the room")
        meanwhile = Session.open(model, Settings(), state, Budget())
        entry = replace(meanwhile.served.shipped["siren"], made="clips", scale=0.77, scale_below=0.55)
        with meanwhile.changing(keep=True) as now:
            now.save({"siren": entry, "typing": meanwhile.served.shipped["typing"]})
        calibrate.give(knocks(4))
    kept = load_calibration(path, model.manifest)
    assert kept is not None and set(kept.targets) == {"siren", "typing"}
    found = kept.targets["siren"]
    assert (found.made, found.scale, found.scale_below) == ("room", 0.77, 0.55)


def test_entries_saved_and_forgotten_at_once_are_all_as_asked(tmp_path: Path) -> None:
    """Saving and forgetting read the file, and then wrote it without a lock: of two at once, one was undone."""
    names = ("siren", "typing")
    sessions = [Session.open(load_model("starter"), Settings(), tmp_path, Budget()) for _ in names]
    shipped = sessions[0].served.shipped

    def all_at_once(*acts: threading.Thread) -> set[str]:
        for act in acts:
            act.start()
        for act in acts:
            act.join(PATIENCE_SECONDS)
        kept = load_calibration(own_path(tmp_path, "starter"), sessions[0].model.manifest)
        return set(kept.targets) if kept is not None else set()

    def save(session: Session, name: str) -> None:
        with session.changing(keep=True) as now:
            now.save({name: shipped[name]})

    assert all_at_once(*(threading.Thread(target=save, args=(session, name))
                         for session, name in zip(sessions, names, strict=False))) == set(names)
    assert all_at_once(*(threading.Thread(target=session.reset, args=(name,))
                         for session, name in zip(sessions, names[1:], strict=False))) == {names[0]}
