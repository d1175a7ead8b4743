"""False alarms an hour of a model's own rows, on all recordings; no row judges what trained it.

    python models/alarms.py starter --left-out FOLDER/rows/left_out.npz
    python models/alarms.py yamnet --left-out FOLDER/yamnet-left_out.npz --state-dir DIR

Clips that train are judged by rows that saw nothing of their source (--left-out, as models/calibrate.py takes
it). Rows of a published file heard no clip of ours, and judge as they are. The false alarms of each fold are
counted at a threshold that was set without the fold. Clips that only measure come from sources that train
nothing; the row that ships judges them. Clips with the sound are heard at the threshold that ships, which was
set on clips without the sound.

Sounds made on purpose (claps for a sample library) are left out, as in the calibration. The peaks of the
logits must be those that the shipped calibration was made on, but for what a second training differs by;
other logits are refused.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

# isort: split
from calibrate import BUDGET, HERE, HOP_SECONDS, Floats, fitted_labels, hear_all, sounds_of, training_logits

# isort: split
from clip_logits import read_left_out
from clips import Clip, measuring_clips, training_clips
from labels import LABELS, Label

from edge.control.loading import load_model
from edge.learn.alarms import Alarms
from edge.learn.calibrate import Basis, parse_budget, peaks_of, threshold_logit
from edge.learn.labelled import calibrate_labelled
from edge.learn.tail import fit_tail
from edge.model.calibration import Peaks, TargetCalibration
from edge.model.calibration_file import load_calibration, shipped_path
from edge.model.classifier import Model, Split
from edge.state import default_state_dir

SAME = 0.1
"""Logits by which peaks of one and the same training may lie apart: sums are not of the same order on every
machine.
"""


def main() -> None:
    """Arguments in, a table out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="starter or yamnet")
    parser.add_argument("--left-out", type=Path, required=True, help="logits of rows fitted without the clip's source")
    parser.add_argument("--state-dir", type=Path, help="where yamnet is installed")
    parser.add_argument("--target", action="append", default=[], help="only this one (repeatable)")
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir or default_state_dir())
    if not isinstance(model, Split):
        raise SystemExit(f"{options.model}: found a whole model; wanted one with rows")
    shipped = load_calibration(shipped_path(HERE / options.model, model.runtime_name.rsplit(" ", 1)[0]), model.manifest)
    if shipped is None:
        raise SystemExit(f"{options.model}: found no calibration that ships; wanted one (models/calibrate.py)")
    left_out, fitted = read_left_out(options.left_out), fitted_labels(model)
    known = {label.name: label for label in LABELS}
    wanted = {
        name: entry
        for name, entry in shipped.targets.items()
        if name in known
        and (set(entry.labels) <= fitted & set(left_out) or not set(entry.labels) & fitted)
        and (not options.target or name in options.target)
    }
    clips = training_clips()
    trained = {clip.group for clip in clips}
    unseen = [clip for clip in measuring_clips() if clip.group not in trained]
    as_they_are = any(not set(entry.labels) & fitted for entry in wanted.values())
    heard = hear_all(model, [*unseen, *clips] if as_they_are else unseen)
    print("| target | clips | heard | false alarms | hours | an hour | at most (95 %) |")
    print("|---|---|---|---|---|---|---|")
    for name, entry in wanted.items():
        rows = [model.labels.index(label) for label in entry.labels]
        train = training_logits(model, entry.labels, clips, left_out, heard, fitted)
        measure = [heard[clip.path][:, rows].max(axis=1) for clip in unseen]
        print(line(judged(model, known[name], entry, (clips, train), (unseen, measure))))


def judged(
    model: Model,
    label: Label,
    entry: TargetCalibration,
    train: tuple[list[Clip], list[Floats]],
    unseen: tuple[list[Clip], list[Floats]],
) -> Alarms:
    """One target on both lots of clips, with a logit for each patch of each."""
    sounds = sounds_of(label, *train)
    again, worth = calibrate_labelled(
        sounds,
        Basis(entry.labels, entry.row_sha256, 0.0),
        parse_budget(BUDGET),
        hop_seconds=HOP_SECONDS,
        patch_samples=model.patch_samples,
        made="shipped",
    )
    if (apart := _apart(again.negatives, entry.negatives)) > SAME:
        raise SystemExit(
            f"--left-out: found peaks of {label.name} that lie {apart:.2f} from those that the calibration was made on; "
            f"wanted at most {SAME}, as of the same training"
        )
    own = sounds_of(label, *unseen)
    threshold = threshold_logit(entry)
    peaks = peaks_of(
        [sound.logits for sound in own if not sound.present and sound.everyday],
        hop_seconds=HOP_SECONDS,
        patch_samples=model.patch_samples,
    )
    present = [sound.logits.max() for sound in [*sounds, *own] if sound.present]
    return Alarms(
        target=label.name,
        threshold=entry.threshold,
        heard=sum(bool(logit >= threshold) for logit in present),
        of=len(present),
        alarms=worth.alarms + fit_tail(peaks).counted(threshold),
        hours=worth.hours + peaks.hours,
    )


def _apart(one: Peaks | None, other: Peaks | None) -> float:
    """How far the peaks of one lot lie from those of the other, on average, in logits."""
    if one is None or other is None:
        return float("inf")
    count = min(len(one.logits), len(other.logits))
    return float(np.mean(np.abs(np.subtract(one.logits[:count], other.logits[:count]))))


def line(alarms: Alarms) -> str:
    """One row of the table."""
    low, high = alarms.heard_interval
    return (
        f"| {alarms.target} | {alarms.of} | {alarms.heard / alarms.of:.2f} ({low:.2f} to {high:.2f}) | {alarms.alarms} | "
        f"{alarms.hours:.2f} | {alarms.per_hour:.1f} | {alarms.per_hour_upper:.1f} |"
    )


if __name__ == "__main__":
    main()
