"""Where YAMNet's standard thresholds in edge/workshop/models/known.py come from: run this on the shared recordings.

    python tests/model/measure_thresholds.py

For each target: the score that 1 in 100 `train/` clips of other classes reaches at its highest patch, rounded up to a
twentieth, at least 0.1. Classes that really hold the sound, or cannot be told from it, are left out of the others.
About two minutes. The owner's room sets better ones (`edge-audio calibrate`).
"""

from __future__ import annotations

import csv
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.features.logmel import LogMel
from edge.model.classifier import open_model
from edge.stream import Patch
from edge.workshop.models.install import Installer
from edge.workshop.models.known import KNOWN, YAMNET_SHA256
from tests.conftest import shared_folder

HOP_FRAMES = 24
CLASSES = {  # target: its classes in the recordings, and those that do not count against it
    "hand_clap": ({"hand_clap", "applause"}, {"finger_snap"}),
    "typing": ({"keyboard_typing"}, {"keyboard_key", "typewriter", "mouse_click"}),
    "finger_snap": ({"finger_snap"}, {"hand_clap"}),
    "smoke_alarm": ({"smoke_alarm"}, {"alarm_beep", "alarm_clock", "siren"}),
    "alarm_beep": ({"alarm_beep"}, {"smoke_alarm", "alarm_clock"}),
    "glass_break": ({"glass_break"}, {"neg_glass_clink"}),
    "door_knock": ({"door_knock"}, set()),
    "doorbell": ({"doorbell"}, {"church_bells"}),
    "dog_bark": ({"dog_bark"}, set()),
    "baby_cry": ({"baby_cry"}, set()),
    "siren": ({"siren"}, {"alarm_beep"}),
    "cough": ({"cough"}, {"sneeze"}),
    "whistle": ({"whistle"}, set()),
    "snoring": ({"snoring"}, set()),
    "laughter": ({"laughter"}, {"baby_cry"}),
    "scream": ({"scream"}, set()),
    "speech": ({"neg_speech", "neg_babble"}, set()),
}


def main() -> None:
    """Print one line per target."""
    shared = shared_folder()
    with (shared / "data" / "manifest.csv").open(newline="") as file:
        clips = [row for row in csv.DictReader(file) if row["split"] == "train"]
    with tempfile.TemporaryDirectory() as state:
        model = open_model(Installer(Path(state)).install(shared / "models" / "yamnet_classification.tflite"))
        logmel = LogMel()
        scores = np.zeros((len(clips), len(model.labels)), np.float32)
        for number, clip in enumerate(clips):
            samples, _ = soundfile.read(shared / "data" / clip["path"], dtype="int16")
            samples = np.pad(samples[: 60 * 16_000], (0, max(0, model.patch_samples - len(samples))))
            rows = logmel.rows(np.lib.stride_tricks.sliding_window_view(samples, 400)[::160])
            for start in range(0, len(rows) - 95, HOP_FRAMES):
                np.maximum(scores[number], model.score(Patch(rows[start:start + 96], 0)).values, out=scores[number])
    classes = np.array([clip["class"] for clip in clips])
    for target in KNOWN[YAMNET_SHA256].targets:
        own, near = CLASSES[target.name]
        best = scores[:, [model.labels.index(label) for label in target.labels]].max(axis=1)
        others = best[~np.isin(classes, list(own | near))]
        threshold = max(0.1, math.ceil(float(np.quantile(others, 0.99)) * 20) / 20)
        heard = best[np.isin(classes, list(own))]
        print(f"{target.name:12} {threshold:.2f} (in the table {target.threshold:.2f}): "
              f"{(heard >= threshold).sum()} of {len(heard)} clips heard, "
              f"{(others >= threshold).sum()} of {len(others)} others")


if __name__ == "__main__":
    main()
