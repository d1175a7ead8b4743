"""Make the calibration that comes with a model, as `edge-audio calibrate` makes one from clips.

    python models/calibrate.py starter --left-out FOLDER/rows/left_out.npz
    python models/calibrate.py yamnet --left-out FOLDER/yamnet-left_out.npz --state-dir DIR

Writes models/NAME/calibration-RUNTIME.json, made on data/train. A row that was fitted on data/train is never
judged on what trained it. Its logits come from --left-out: logits of each clip by rows that saw nothing of
the clip's source, which `train.py` of models/starter and models/yamnet leaves in its work folder. Rows of a
published file heard no clip of ours; their logits are the model's own. ESC-10 fold 5 and eval/ are left
alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent / "starter"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from clip_logits import read_left_out
from clips import Clip, shared_folder, training_clips
from labels import LABELS, Label, absent_in, present_in, staged

from edge.control.loading import load_model
from edge.errors import SourceError
from edge.learn.calibrate import Basis, parse_budget
from edge.learn.labelled import Sound, Worth, calibrate_labelled
from edge.model.calibration import Calibration, TargetCalibration, row_sha256
from edge.model.calibration_file import save_calibration, shipped_path
from edge.model.classifier import Model, Split
from edge.state import default_state_dir
from edge.workshop.classify import classify
from edge.workshop.progress import bar

HERE = Path(__file__).resolve().parent
Floats = npt.NDArray[np.float32]
HOP_SECONDS = 0.24
BUDGET = "1/day"
"""With 12 minutes of varied sound a day: five false alarms an hour of such sound, as the models' own
thresholds allow.
"""


def main() -> None:
    """Arguments in, a calibration out, and what it is worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="starter or yamnet")
    parser.add_argument("--left-out", type=Path, help="logits of rows fitted without the clip's source")
    parser.add_argument("--state-dir", type=Path, help="where yamnet is installed")
    parser.add_argument("--runtime", default="auto", choices=("auto", "litert", "tflite-runtime"))
    parser.add_argument("--budget", default=BUDGET)
    parser.add_argument("--out", type=Path, help="folder for the file (default models/NAME)")
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir or default_state_dir(), runtime=options.runtime)
    if not isinstance(model, Split):
        raise SystemExit(f"{options.model}: found a whole model; wanted one with rows")
    clips = training_clips()
    left_out = read_left_out(options.left_out) if options.left_out else {}
    fitted = fitted_labels(model)
    known = {label.name: label for label in LABELS}
    wanted = [target for target in model.targets if target.name in known]
    as_they_are = any(set(target.labels) <= set(model.labels) - fitted for target in wanted)
    heard = hear_all(model, clips) if as_they_are else {}
    entries: dict[str, TargetCalibration] = {}
    print("| target | clips | sources | curve | error before, after | recall | false alarms an hour, out of fold |")
    print("|---|---|---|---|---|---|---|")
    for target in wanted:
        if missing := (set(target.labels) & fitted) - set(left_out):
            print(f"{target.name}: left as it is, no left-out logits of {', '.join(missing)}", file=sys.stderr)
            continue
        logits = training_logits(model, target.labels, clips, left_out, heard, fitted)
        basis = Basis(target.labels, row_sha256(model, target.labels), 0.0)
        try:
            entry, worth = calibrate_labelled(
                sounds_of(known[target.name], clips, logits), basis, parse_budget(options.budget), hop_seconds=HOP_SECONDS,
                patch_samples=model.patch_samples, made="shipped")
        except SourceError as error:
            print(f"{target.name}: left as it is, {error}", file=sys.stderr)
            continue
        entries[target.name] = entry
        print(line(target.name, entry, worth))
    calibration = replace(Calibration.new(model, shipped=True), targets=entries)
    path = shipped_path(options.out or HERE / options.model, model.runtime_name.rsplit(" ", 1)[0])
    save_calibration(path, calibration)
    print(f"{path}: {len(entries)} targets", file=sys.stderr)


def fitted_labels(model: Model) -> set[str]:
    """Labels whose rows were fitted on data/train: all of the starter's, our own of a published file."""
    if model.manifest.name == "starter":
        return set(model.labels)
    own = HERE / model.manifest.name / "rows.json"
    return set(json.loads(own.read_text(encoding="utf-8"))["labels"]) & set(model.labels) if own.is_file() else set()


def hear_all(model: Model, clips: list[Clip]) -> dict[str, Floats]:
    """Logits of every clip as the appliance hears it, by its path: float32 (patches, labels)."""
    assert isinstance(model, Split)
    found = {}
    with bar("calibrate", "clips") as progress:
        for number, clip in enumerate(clips):
            result = classify(model, shared_folder() / "data" / clip.path, hop_seconds=HOP_SECONDS, bands=False)
            assert result.embeddings is not None
            found[clip.path] = result.embeddings @ model.head.weights.T + model.head.bias
            progress(number + 1, len(clips))
    return found


def training_logits(model: Model, labels: Sequence[str], clips: list[Clip], left_out: Mapping[str, Mapping[str, Floats]],
                    heard: Mapping[str, Floats], fitted: set[str]) -> list[Floats]:
    """A target's logits on training clips, float32 (patches,) each: of rows that were fitted on them, by rows that saw
    nothing of the clip's source; of others as they are. left_out: by label and path; heard: by path."""
    return [
        np.max([left_out[name][clip.path] if name in fitted else heard[clip.path][:, model.labels.index(name)]
                for name in labels], axis=0) for clip in clips]


def sounds_of(label: Label, clips: list[Clip], logits: list[Floats]) -> list[Sound]:
    """The clips that say something of a label, as labels.py has it."""
    return [Sound(found, present_in(clip, label), clip.group, everyday=not staged(clip))
            for clip, found in zip(clips, logits, strict=True) if present_in(clip, label) or absent_in(clip, label)]


def line(name: str, entry: TargetCalibration, worth: Worth) -> str:
    """One row of the table."""
    share, low, high = worth.recall
    expected = entry.expected
    return (f"| {name} | {int(worth.present.sum())} | {worth.groups[0]} | {worth.form} | {expected.error_before:.3f}, "
            f"{expected.error_after:.3f} | {share:.2f} ({low:.2f} to {high:.2f}) | {worth.alarms / worth.hours:.1f} "
            f"(at most {worth.upper:.1f}) |")


if __name__ == "__main__":
    main()
