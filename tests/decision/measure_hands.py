"""Claps, snaps and knocks told apart: what recordings of each raise, with the calibration that serves.

    python tests/decision/measure_hands.py [--model starter] [--state-dir DIR] [--split eval]

Of each class: recordings, how many of them raise each target, and how many events of each that are. All three targets are
named, as by an owner who wants them all; the last column is of finger_snap named alone, which has nothing to yield to.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conftest import shared_folder

from edge.control.loading import load_calibrations, load_model
from edge.settings import ModelSettings, Settings, TargetSettings
from edge.workshop.classify import classify

TARGETS = ("hand_clap", "finger_snap", "door_knock")
ALONE = "finger_snap alone"


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what claps, snaps and knocks raise.")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("--split", default="eval", choices=("eval", "train"))
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir)
    settings = replace(Settings(), target=tuple(TargetSettings(name=name) for name in TARGETS),
                       model=ModelSettings(name=options.model))
    served = load_calibrations(model, settings, options.state_dir)
    data = shared_folder() / "data"
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == options.split and row["class"] in TARGETS]
    clips: Counter[str] = Counter()
    raised: Counter[tuple[str, str]] = Counter()
    events: Counter[tuple[str, str]] = Counter()
    for row in rows:
        clips[row["class"]] += 1
        for targets in (settings.target, settings.target[1:2]):
            found = classify(model, data / row["path"], targets=targets, calibrations=served.serving,
                             embeddings=False, bands=False).events
            said = [ALONE if len(targets) == 1 else event.target for event in found]
            raised.update({(row["class"], name) for name in said})
            events.update((row["class"], name) for name in said)
    print(f"{'recordings of':14}{'':5}" + "".join(f"{name:>18}" for name in (*TARGETS, ALONE)))
    for held in TARGETS:
        print(f"{held:14}{clips[held]:5}" + "".join(
            f"{f'{raised[held, name]} ({events[held, name]} events)':>18}" for name in (*TARGETS, ALONE)))


if __name__ == "__main__":
    main()
