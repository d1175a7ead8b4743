"""The bundled scenes: made by code of their own, named by an independent ear, and the same each time they are made."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.cli.demonstration.scenes import Heard, Scene, load_scenes
from edge.model.classifier import open_model
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification, classify
from edge.workshop.models.install import Installer

MODELS = Path(__file__).resolve().parents[2] / "models"
DEMO, STARTER = MODELS / "demo", MODELS / "starter"
SCENES = load_scenes(DEMO)
IN_YAMNETS_WORDS = {
    "hand_clap": {"Clapping", "Hands", "Applause"},
    "typing": {"Typing", "Computer keyboard", "Typewriter"},
    "speech": {"Speech", "Narration, monologue", "Male speech, man speaking", "Speech synthesizer"},
    "siren": {"Siren", "Emergency vehicle", "Police car (siren)", "Ambulance (siren)", "Civil defense siren"},
    "smoke_alarm": {"Smoke detector, smoke alarm", "Fire alarm", "Beep, bleep", "Alarm"},
}


def trees(folder: Path) -> dict[str, ast.Module]:
    """Each module of a folder, parsed, by its name."""
    return {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))}


def imported(tree: ast.Module) -> set[str]:
    """First parts of every module that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def bodies(tree: ast.Module) -> set[str]:
    """What each function does, in the parser's words: without its name, its arguments' names or its docstring."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            statements = node.body[1:] if ast.get_docstring(node) else node.body
            names: dict[str, str] = {}
            for inner in (part for statement in statements for part in ast.walk(statement)):
                if isinstance(inner, ast.Name):
                    inner.id = names.setdefault(inner.id, f"n{len(names)}")
            found.add("\n".join(ast.dump(statement) for statement in statements))
    return found


def test_scenes_and_training_share_no_module() -> None:
    demo, starter = trees(DEMO), trees(STARTER)
    allowed = {"__future__", "argparse", "collections", "dataclasses", "io", "itertools", "json", "numpy", "pathlib",
               "subprocess", "wave"}
    for name, tree in demo.items():
        assert imported(tree) <= allowed | demo.keys(), f"models/demo/{name}.py imports more than its own folder"
    for name, tree in starter.items():
        assert not imported(tree) & (demo.keys() | {"models", "edge_models", "runpy", "importlib"}), name


def test_scenes_and_training_share_no_function() -> None:
    demo = set().union(*map(bodies, trees(DEMO).values()))
    starter = set().union(*map(bodies, trees(STARTER).values()))
    assert len(demo) > 10
    assert len(starter) > 40
    assert not demo & starter


def test_no_bundled_sound_is_among_the_training_sources() -> None:
    sources = (STARTER / "sources.csv").read_text(encoding="utf-8")
    assert "demo" not in {line.split("/")[0] for line in sources.splitlines()}
    assert all(line.startswith("train/") for line in sources.splitlines()[1:])


@pytest.fixture(scope="module")
def yamnet_ear(yamnet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Classification]:
    """What YAMNet hears in each scene, by file name."""
    pytest.importorskip("ai_edge_litert", reason="splitting YAMNet needs the schema that comes with LiteRT")
    model = open_model(Installer(tmp_path_factory.mktemp("state")).install(yamnet_file, name="yamnet"))
    return {scene.file.name: classify(model, scene.file, hop_seconds=0.12) for scene in SCENES}


@pytest.mark.big
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.file.stem)
def test_yamnet_names_each_bundled_sound_too(scene: Scene, yamnet_ear: dict[str, Classification]) -> None:
    heard = yamnet_ear[scene.file.name]
    for event in scene.events:
        near = (heard.starts > event.start_seconds - 0.9) & (heard.starts < event.end_seconds)
        scores = heard.scores[near].max(axis=0)
        ranked = [heard.labels[row] for row in np.argsort(-scores) if heard.labels[row] != "Silence"]
        assert IN_YAMNETS_WORDS[event.target] & set(ranked[:3]), f"{event}: YAMNet hears {ranked[:5]}"
    said = {event.target for event in scene.events}
    for target in {"hand_clap", "typing"} - said:
        rows = [heard.labels.index(label) for label in IN_YAMNETS_WORDS[target]]
        assert heard.scores[:, rows].max() < 0.5, f"{scene.file.name}: YAMNet hears {target}"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.file.stem)
def test_the_starter_hears_what_is_in_a_scene_and_nothing_else(scene: Scene) -> None:
    found = classify(open_model(STARTER), scene.file)
    heard = [Heard(event.target, event.start / SAMPLE_RATE) for event in found.events]
    assert scene.compare(heard) == ((), ())


@pytest.mark.big
@pytest.mark.skipif(not (shutil.which("sox") and shutil.which("espeak-ng")), reason="sox and espeak-ng make the voice")
def test_the_scenes_come_out_the_same_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DEMO / "synthesise.py", "--out", tmp_path], check=True)
    assert json.loads((tmp_path / "expected.json").read_text()) == json.loads((DEMO / "expected.json").read_text())
    for scene in SCENES:
        ours, again = (read(folder / scene.file.name).astype(np.float64) for folder in (DEMO, tmp_path))
        if scene.file.stem == "voice":  # another version of espeak-ng may shift a phone by a few samples
            assert abs(len(ours) - len(again)) < SAMPLE_RATE
            ours, again = (loudness(samples) for samples in (ours, again))
            length = min(len(ours), len(again))
            assert np.corrcoef(ours[:length], again[:length])[0, 1] > 0.9
        else:  # another numpy may round a Fourier transform otherwise
            assert ours.shape == again.shape
            assert np.abs(ours - again).max() <= 2


def test_the_scenes_stay_small() -> None:
    assert sum(path.stat().st_size for path in DEMO.glob("*.wav")) < 2_000_000
    assert {path.name for path in DEMO.glob("*.wav")} == {scene.file.name for scene in SCENES}


def read(path: Path) -> np.ndarray:
    """A scene's samples: int16 (n,)."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def loudness(samples: np.ndarray) -> np.ndarray:
    """Root mean square of every 50 ms: float64 (n // 800,)."""
    return np.sqrt(np.mean(samples[: len(samples) // 800 * 800].reshape(-1, 800) ** 2, axis=1))
