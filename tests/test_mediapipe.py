"""Exported models in MediaPipe's audio classifier, as a phone app runs them: `make test-mediapipe`."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.cli import main
from edge.control.loading import load_model
from edge.features.frontend import FrontEnd
from edge.model.classifier import Split
from edge.sources.recording import open_recording
from edge.stream import SAMPLE_RATE, Block, StreamFormat
from edge.workshop.models.install import Installer

pytestmark = pytest.mark.slow
RECORDINGS, PATCHES = 120, 4
TAUGHT, TAUGHT_WITH = "dropped_keys", 12
SCORES_OFF = 0.03
"""As in tests/model/test_model_export.py: a band in an int8 step's neighbour."""

Recordings = dict[str, NDArray[np.int16]]


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that has MediaPipe."""
    named = os.environ.get("EDGE_AUDIO_MEDIAPIPE_PYTHON")
    if not named:
        pytest.skip("EDGE_AUDIO_MEDIAPIPE_PYTHON names no Python with MediaPipe: use make test-mediapipe")
    return named


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Recordings:
    """The beginnings of real recordings, spread over every class."""
    soundfile = pytest.importorskip("soundfile")
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        clips = sorted(csv.DictReader(file), key=lambda row: (row["class"], row["sha256"]))
    chosen = clips[:: len(clips) // RECORDINGS][:RECORDINGS]
    return {row["sha256"]: soundfile.read(shared / "data" / row["path"], dtype="int16", always_2d=True,
                                          frames=PATCHES * 15_600)[0][:, 0].copy() for row in chosen}


@pytest.fixture(scope="module")
def keys(shared: Path) -> list[Path]:
    """Recordings of dropped keys, which nothing was trained with."""
    return sorted((shared / "data" / "eval" / "keys_drop").iterdir())


@pytest.fixture(scope="module", params=["starter", "yamnet"])
def exported(request: pytest.FixtureRequest, keys: list[Path],
             tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, Path]:
    """A model that was taught dropped keys by `edge-audio teach`, and the file that `edge-audio model export` made of it."""
    name, state = request.param, tmp_path_factory.mktemp("state")
    if name == "yamnet":
        Installer(state).install(request.getfixturevalue("yamnet_file"))
    words = ["--model", name, "--state-dir", str(state)]
    clips = [str(path) for path in keys[:TAUGHT_WITH]]
    assert main(["teach", TAUGHT, *clips, "--like", "neg_keys_coins", *words]) == 0
    file = tmp_path_factory.mktemp("export") / f"{name}.tflite"
    assert main(["model", "export", name, "--output", str(file), "--state-dir", str(state)]) == 0
    model = load_model(name, state_dir=state)
    assert isinstance(model, Split) and model.labels[-1] == TAUGHT
    return model, file


def appliance_scores(model: Split, samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Our scores float32 (patches, labels) of the patches that MediaPipe cuts: end to end, the last filled up with zeros."""
    count = -(-len(samples) // 15_600)
    padded = np.pad(samples, (0, count * 15_600 - len(samples))).reshape(count, 15_600)
    patches = [FrontEnd(wants="bands", hop_seconds=0.96).push(Block(row, 0, StreamFormat(SAMPLE_RATE, 1)))[0]
               for row in padded]
    return np.stack([model.score(patch).values for patch in patches])


def hear(python: str, model: Path, sounds: Recordings, folder: Path) -> dict[str, list[dict[str, float]]]:
    """What MediaPipe says of each 0.975 s of each recording: every label's score."""
    np.savez(folder / "sounds.npz", **sounds)
    words = [python, str(Path(__file__).with_name("mediapipe_classify.py")), str(model), str(folder / "sounds.npz")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    heard: dict[str, list[dict[str, float]]] = json.loads(done.stdout)
    return heard


def test_mediapipe_gives_the_appliances_top_labels(python: str, exported: tuple[Split, Path], recordings: Recordings,
                                                   tmp_path: Path) -> None:
    model, file = exported
    heard = hear(python, file, recordings, tmp_path)
    patches = same = as_good = five = 0
    worst = 0.0
    for name, samples in recordings.items():
        ours = appliance_scores(model, samples)
        theirs = np.array([[patch[label] for label in model.labels] for patch in heard[name]], np.float32)
        assert theirs.shape == ours.shape
        worst = max(worst, float(np.abs(theirs - ours).max()))
        for mine, other in zip(ours, theirs, strict=True):
            patches += 1
            same += int(np.argmax(mine) == np.argmax(other))
            as_good += bool(mine[np.argmax(other)] >= mine.max() - SCORES_OFF)
            five += set(np.argsort(-mine)[:5]) == set(np.argsort(-other)[:5])
    print(f"\n{file.stem}: {len(recordings)} recordings, {patches} patches; top label the same {same}, as good {as_good}; "
          f"the same five on top {five}; worst score {worst:.4f} off")
    assert len(recordings) >= 30 and patches >= 300
    assert as_good == patches
    assert same >= 0.98 * patches
    assert worst <= SCORES_OFF


def test_mediapipe_hears_what_was_taught(python: str, exported: tuple[Split, Path], keys: list[Path],
                                         tmp_path: Path) -> None:
    model, file = exported
    sounds = {}
    for path in keys[TAUGHT_WITH:]:
        with open_recording(path) as recording:
            sounds[path.stem] = np.concatenate([block.samples for block in recording.blocks() if block is not None])
    heard = hear(python, file, sounds, tmp_path)
    highest = []
    for name, samples in sounds.items():
        ours, theirs = appliance_scores(model, samples)[:, -1], [patch[TAUGHT] for patch in heard[name]]
        assert np.abs(ours - theirs).max() <= SCORES_OFF
        highest.append(max(theirs))
    print(f"\n{file.stem}: highest score of {TAUGHT!r} in each of {len(highest)} recordings that it was not taught with: "
          f"{', '.join(f'{score:.2f}' for score in sorted(highest))}")
    assert np.median(highest) > 0.5
