"""What calibrating in a lively room costs, and what it saves.

    python tests/learn/measure_room.py [--model starter] [--state-dir DIR] [--minutes 10] [--rooms 3] [TARGET=CLASS ...]

A room is so many minutes of talk, music, dishes and doors, one recording of `eval` after another, of half of the
sources. Of each target: the share of its recordings in `eval` that are heard with what came with the model, with the
room's calibration, and with one that keeps the budget whatever it costs (--cost 1); and false alarms an hour of such
sound from the other half of the sources.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conftest import shared_folder

from edge.control.calibrations import calibrations_for
from edge.control.loading import load_model, model_folder
from edge.decision.resolve import ask
from edge.learn.calibrate import Basis, Budget, peaks_of, set_threshold, threshold_logit
from edge.learn.labelled_clips import Clip, labelled_by_class
from edge.model.classifier import Split
from edge.settings import TargetSettings
from edge.workshop.classify import classify

HOP_SECONDS = 0.24
LIVELY = {
    "neg_speech", "neg_music", "neg_ambience", "neg_misc", "neg_appliance", "laughter", "baby_cry", "cough", "clearthroat",
    "snoring", "water_running", "drawer", "door_slam", "keys_drop", "page_turn", "footsteps", "phone_ring", "siren"}
PAIRS = ("hand_clap=hand_clap", "typing=keyboard_typing", "glass_break=glass_break")
Logits = NDArray[np.float32]


class Heard:
    """Recordings as a model hears them: each once."""

    def __init__(self, model: Split) -> None:
        self.model = model
        self._embeddings: dict[Path, Logits] = {}

    def logits(self, clip: Clip, rows: list[int]) -> Logits:
        """The highest of these rows, float32 `(patches,)`."""
        if clip.path not in self._embeddings:
            found = classify(self.model, clip.path, hop_seconds=HOP_SECONDS, bands=False).embeddings
            assert found is not None
            self._embeddings[clip.path] = found
        head = self.model.head
        highest: Logits = (self._embeddings[clip.path] @ head.weights[rows].T + head.bias[rows]).max(axis=1)
        return highest


def room_of(heard: Heard, clips: list[Clip], minutes: float) -> list[Clip]:
    """The first recordings that fill so many minutes."""
    patches, found = 0, list[Clip]()
    for clip in clips:
        found.append(clip)
        patches += len(heard.logits(clip, [0]))
        if patches * HOP_SECONDS >= minutes * 60:
            return found
    raise SystemExit(f"half of the sources: found {patches * HOP_SECONDS / 60:.1f} minutes; wanted {minutes:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what calibrating in a lively room costs.")
    parser.add_argument("pairs", nargs="*", default=PAIRS, metavar="TARGET=CLASS,CLASS")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rooms", type=int, default=3)
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir)
    assert isinstance(model, Split)
    heard = Heard(model)
    clips = labelled_by_class(shared_folder() / "data" / "manifest.csv", split="eval").clips
    lively = [clip for clip in clips if clip.name in LIVELY]
    sources = sorted({clip.group for clip in lively})
    print(f"{'target':12} room  {'hours':>6} of others   recall: shipped, room, --cost 1   false alarms an hour of others")
    for pair in options.pairs:
        name, classes = pair.split("=")
        target = next(one for one in model.targets if one.name == name)
        folder, none = model_folder(options.model, options.state_dir), Path(tempfile.mkdtemp())
        asked = ask([TargetSettings(name=name)], model.labels, model.targets)
        entry = calibrations_for(model, asked, directory=folder, state_dir=none).entries[name]
        basis = Basis(entry.labels, entry.row_sha256, threshold_logit(entry)).known_from(entry)
        rows = [model.labels.index(label) for label in target.labels]
        present = np.array([heard.logits(clip, rows).max() for clip in clips if clip.name in classes.split(",")])
        for number in range(options.rooms):
            generator = np.random.default_rng(number)
            half = set(generator.permutation(sources)[: len(sources) // 2].tolist())
            own = [lively[place] for place in generator.permutation(len(lively)) if lively[place].group in half]
            stretch = np.concatenate([heard.logits(clip, rows) for clip in room_of(heard, own, options.minutes)])
            room = peaks_of([stretch], hop_seconds=HOP_SECONDS, patch_samples=model.patch_samples,
                            hours=len(stretch) * HOP_SECONDS / 3600)
            others = peaks_of([heard.logits(clip, rows) for clip in lively if clip.group not in half],
                              hop_seconds=HOP_SECONDS, patch_samples=model.patch_samples)
            made = [entry, *(set_threshold(basis, budget, made="room", room=room)
                             for budget in (Budget(), replace(Budget(), most_cost=1.0)))]
            logits = [threshold_logit(one) for one in made]
            recall = ", ".join(f"{float((present >= logit).mean()):.2f}" for logit in logits)
            alarms = ", ".join(f"{sum(one >= logit for one in others.logits) / others.hours:.1f}" for logit in logits)
            print(f"{name:12} {number + 1:4}  {others.hours:6.2f}             {recall:24}         {alarms}", flush=True)


if __name__ == "__main__":
    main()
