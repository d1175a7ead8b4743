"""`edge-audio bench --against mediapipe`: a process of another environment has its turns.

The quick tests put a package of that name in its place, to see turns, errors and the end; the slow one
(`make test-mediapipe`) has MediaPipe itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import ModelError, SettingsError
from edge.settings import Settings
from edge.workshop.bench import Cost
from edge.workshop.bench_model import Compared, Measured, compare
from edge.workshop.bench_peer import PYTHON, MediaPipe, peer_python
from edge.workshop.bench_process import ProcessCost
from edge.workshop.bench_report import objects, peer_lines, pictured
from edge.workshop.models.install import Installer

STAND_IN = """
import pathlib, sys, types
NOTES = pathlib.Path({notes!r})
def module(name, **parts):
    made = sys.modules[name] = types.ModuleType(name)
    vars(made).update(parts)
    return made
class Classifier:
    def __enter__(self): return self
    def __exit__(self, *_): NOTES.write_text("ended")
    def classify(self, data):
        if NOTES.exists(): raise ValueError("no more of this")
        assert data[0].shape == (15600,) and data[0].dtype == "float32" and abs(data[0]).max() <= 1.0 and data[1] == 16000
class AudioClassifier:
    create_from_options = staticmethod(lambda options: Classifier())
class AudioData:
    create_from_array = staticmethod(lambda samples, rate: (samples, rate))
audio = module("mediapipe.tasks.python.audio", AudioClassifier=AudioClassifier, AudioClassifierOptions=dict)
containers = module("mediapipe.tasks.python.components.containers", AudioData=AudioData)
module("mediapipe.tasks")
module("mediapipe.tasks.python", BaseOptions=dict, audio=audio)
module("mediapipe.tasks.python.components", containers=containers)
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def python(tmp_path: Path, notes: Path) -> Path:
    """A Python that has something called mediapipe."""
    (tmp_path / "mediapipe").mkdir()
    (tmp_path / "mediapipe" / "__init__.py").write_text(STAND_IN.format(notes=str(notes)))
    named = tmp_path / "python"
    named.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{sys.executable}" "$@"\n')
    named.chmod(0o755)
    return named


def measured(model: str, gate_on: float, peak: int) -> Measured:
    spent = {"gate_off": gate_on, "gate_on": gate_on, "quiet": gate_on / 4, "body": gate_on / 2, "bare": 0.02,
             "mediapipe": 0.03}
    costs = tuple(Cost(hop_seconds=hop, stages={"front_end": 0.001}, spent=spent, gate=1.0, awake=0.0,
                       patches_per_second=1.0,
                       over_body={name: value / spent["body"] for name, value in spent.items() if name != "body"},
                       over_bare={name: value / 0.02 for name, value in spent.items() if name != "bare"})
                  for hop in (0.48, 0.24))
    return Measured(model, "LiteRT 2.3.0", costs, ProcessCost(peak, 0.5, 0.4, 50_000_000, 0.2, 2.0))


FOUND = Compared((measured("yamnet", 0.016, 60_000_000), measured("starter", 0.01, 50_000_000)), {"mediapipe": 180_000_000})


def test_without_a_python_that_has_mediapipe_the_way_to_one_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                                    capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(PYTHON, raising=False)
    wanted = r"wanted --peer-python FILE, or EDGE_AUDIO_MEDIAPIPE_PYTHON \(deploy/mediapipe.sh FOLDER PYTHON true makes one"
    with pytest.raises(SettingsError, match=rf"found no Python that has MediaPipe; {wanted}"):
        peer_python(None)
    monkeypatch.setenv(PYTHON, str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match=r"found no file .*gone"):
        peer_python(None)
    assert peer_python(Path(sys.executable)) == Path(sys.executable)
    assert main(["bench", "--against", "mediapipe", "--state-dir", str(tmp_path)]) == 2
    assert "found no file" in capsys.readouterr().err


def test_each_turn_gives_cpu_seconds_and_the_end_gives_the_peak(python: Path, notes: Path) -> None:
    with MediaPipe(python, Path("model.tflite"), 2.0) as peer:
        assert peer.hear(0.24, 8) > 0.0 and peer.hear(0.12, 16) > 0.0
        assert not notes.exists()
    assert notes.read_text() == "ended" and peer.peak_bytes > 10_000_000
    peer.close()


def test_a_python_without_mediapipe_is_told_with_its_words() -> None:
    with pytest.raises(ModelError, match=r"(?s)No module named 'mediapipe'; wanted a Python that has MediaPipe"):
        MediaPipe(Path(sys.executable), Path("model.tflite"), 2.0)


def test_a_process_that_fails_in_its_turn_is_told_with_its_words(python: Path, notes: Path) -> None:
    with MediaPipe(python, Path("model.tflite"), 2.0) as peer:
        notes.write_text("fail now")
        with pytest.raises(ModelError, match="no more of this"):
            peer.hear(0.24, 8)
    assert peer.peak_bytes == 0


@pytest.mark.parametrize("needing", [["--against"], ["--plot"]])
def test_what_needs_a_whole_file_is_refused_before_anything_is_measured(needing: list[str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"{needing[0]}: found no whole file to compare with; wanted --bare FILE, or "):
        compare(Settings(), ["starter"], tmp_path, hops=[0.24], seconds=2.0, rounds=1, bare=None,
                against={"mediapipe": Path("/nowhere")} if needing == ["--against"] else {}, needing=needing)


def test_the_peers_ratios_to_ours_are_told() -> None:
    assert peer_lines(FOUND) == [
        "mediapipe, over ours with yamnet: CPU time 1.88 at 0.48 s, 1.88 at 0.24 s; peak memory 3.00 (180 MB)",
        "mediapipe, over ours with starter: CPU time 3.00 at 0.48 s, 3.00 at 0.24 s; peak memory 3.60 (180 MB)"]
    first, _ = objects(FOUND.models[0], FOUND.peer_peaks)
    assert first["peer_peak_rss_bytes"] == {"mediapipe": 180_000_000}
    assert isinstance(first["over_body"], dict) and first["over_body"]["mediapipe"] == 3.75


def test_the_picture_shows_the_bare_loop_the_peer_and_ours(tmp_path: Path) -> None:
    plot = pytest.importorskip("edge.workshop.plot")
    hops, varied, quiet, memory = pictured(FOUND)
    assert hops == [0.48, 0.24]
    assert varied == {"bare loop": [1.0, 1.0], "MediaPipe": pytest.approx([1.5, 1.5]),
                      "edge-audio, yamnet": pytest.approx([0.8, 0.8]), "edge-audio, starter": pytest.approx([0.5, 0.5])}
    assert quiet == {"edge-audio, yamnet": pytest.approx([0.2, 0.2]), "edge-audio, starter": pytest.approx([0.125, 0.125])}
    assert memory == {"bare loop": 50.0, "MediaPipe": 180.0, "edge-audio, yamnet": 60.0, "edge-audio, starter": 50.0}
    plot.plot_costs(hops, varied, quiet, memory, tmp_path / "cost.png")
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_mediapipe_itself_has_its_turn_beside_ours(yamnet_file: Path, tmp_path: Path) -> None:
    if not os.environ.get(PYTHON):
        pytest.skip(f"{PYTHON} names no Python with MediaPipe: use make test-mediapipe")
    Installer(tmp_path).install(yamnet_file)
    found = compare(Settings(), ["starter"], tmp_path, hops=[0.48], seconds=4.8, rounds=1, bare=None,
                    against={"mediapipe": peer_python(None)})
    (one,) = found.models
    print("\n" + "\n".join(peer_lines(found)))
    assert found.peer_peaks["mediapipe"] > one.process.peak_bytes
    assert one.costs[0].spent["mediapipe"] > 0.0
