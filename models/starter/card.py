"""Measure the starter on recordings that it never learnt from, and print its card's figures; --write puts them there.

    python models/starter/card.py [--write]

Needs numpy, soundfile, scikit-learn, tqdm and LiteRT, and the recordings (EDGE_AUDIO_SHARED, default ../shared). It takes
a minute or two.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from appliance import wilson_interval
from backbone import Backbone
from bands import patches_of
from clips import Clip, measuring_clips, read_clip, shared_folder, training_clips
from evidence import Evidence, judge
from labels import LABELS
from measure import HOP_SECONDS
from probes import Probe, dcase, esc10
from teacher import Teacher
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
CARD = HERE / "MODEL_CARD.md"
BUDGET = "recall at 5 false alarms an hour"
FIRST, LAST = "<!-- figures -->", "<!-- end of figures -->"


def main() -> None:
    """Print, and write where asked."""
    parser = argparse.ArgumentParser(description="Measure the starter model; print its card's figures.")
    parser.add_argument("--write", action="store_true", help="put them into MODEL_CARD.md")
    write = parser.parse_args().write
    figures = "\n".join(figure_lines())
    print(figures)
    if write:
        card = CARD.read_text(encoding="utf-8")
        before, rest = card.split(FIRST)
        CARD.write_text(f"{before}{FIRST}\n{figures}\n{LAST}{rest.split(LAST)[1]}", encoding="utf-8")


def figure_lines() -> Iterator[str]:
    """The figures as Markdown."""
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    training = json.loads((HERE / "training.json").read_text(encoding="utf-8"))
    backbone = Backbone(HERE / "backbone.tflite")
    yield from training_lines(training, manifest)
    apart = {entry["label"]: entry for entry in json.loads((HERE / "out_of_fold.json").read_text(encoding="utf-8"))}
    yield from left_out_lines(manifest, apart)
    yield from unseen_lines(manifest, measured(manifest, backbone, apart), apart)
    teacher = Teacher(shared_folder() / "models" / "yamnet_classification.tflite")
    ours, teachers = ([*esc10(one.embeddings), *dcase(one.embeddings)] for one in (backbone, teacher))
    yield from probe_lines(list(zip(ours, teachers, strict=True)))
    yield from points_lines(training["points"])
    yield from source_lines()


def measured(
    manifest: dict[str, Any], backbone: Backbone, apart: dict[str, Any]
) -> dict[str, tuple[Evidence, Evidence]]:
    """Each label on eval/ and ESC-10 fold 5: at the budget of this material, and at the threshold that ships."""
    with np.load(HERE / "head.npz") as head:
        weights, bias = head["weights"], head["bias"]
    clips = measuring_clips()
    logits = [
        backbone.embeddings(patches_of(read_clip(clip), HOP_SECONDS)) @ weights.T + bias
        for clip in tqdm(clips, desc="clips", unit="clip")
    ]
    found = {}
    for number, name in enumerate(manifest["labels"]):
        label = next(label for label in LABELS if label.name == name)
        own = [scores[:, number] for scores in logits]
        if any(clip.label in label.classes for clip in clips):
            found[name] = (judge(own, clips, label), judge(own, clips, label, apart[name]["threshold"]))
    return found


def share(found: int, of: int) -> str:
    """A share with its 95 % interval."""
    low, high = wilson_interval(found, of)
    return f"{found / of:.2f} ({low:.2f} to {high:.2f})" if of else "-"


def training_lines(training: dict[str, Any], manifest: dict[str, Any]) -> Iterator[str]:
    """How it was made, and what int8 costs."""
    yield f"- backbone.tflite: sha256 `{manifest['backbone']['sha256']}`"
    yield f"- head.npz: sha256 `{manifest['head']['sha256']}`"
    size = manifest["backbone"]["bytes"]
    for cycles, made in (("First", training), ("After narrowing", training["further"])):
        minutes = made["seconds"] / 60
        length = f"{made['windows']:,} windows, {made['epochs']} epochs"
        yield f"- {cycles}: {length}, {minutes:.0f} minutes on one x86-64 thread."
    yield f"- Backbone {size:,} bytes, {training['multiplies']:,} multiplies a patch."
    yield (
        f"- int8 against float, on {training['compared']} windows that trained neither: correlation of the embeddings "
        f"{training['correlation']:.4f}, {100 * training['explained']:.2f} % of their variance kept; a label's score "
        f"differs by {training['score_difference_mean']:.4f} on average, {training['score_difference_most']:.3f} at most."
    )
    yield ""


def left_out_lines(manifest: dict[str, Any], apart: dict[str, Any]) -> Iterator[str]:
    """Training clips, each scored by rows that saw nothing of its source."""
    yield "### Sources left out: training clips, rows fitted without the clip's source (eight folds; the backbone saw them)"
    yield ""
    yield f"| label | clips | sources | area under the curve | {BUDGET} | of staged sounds taken for it |"
    yield "|---|---|---|---|---|---|"
    for name in manifest["labels"]:
        one = apart[name]
        mark = " (experimental)" if name in manifest["experimental"] else ""
        recall = share(one["heard"], one["clips"])
        counts = f"{one['clips']} | {one['groups']}"
        if one["groups"] < 2:
            yield f"| {name}{mark} | {counts} | only source | - | - |"
            continue
        yield f"| {name}{mark} | {counts} | {one['area']:.3f} | {recall} | {one['staged_share']:.2f} |"
    yield ""
    yield "Each source of the scarce labels, left out, at the threshold that ships:"
    for name in ("hand_clap", "typing", "finger_snap"):
        parts = ", ".join(f"{source} {heard} of {clips}" for source, (heard, clips) in apart[name]["sources"].items())
        yield f"- {name}: {parts}"
    left = sorted(
        (one for one in apart.values() if one["label"] not in manifest["labels"]), key=lambda one: -one["recall"]
    )
    yield ""
    yield (
        "Tried and left out as too weak or too few: "
        + ", ".join(
            f"{one['label']} ({one['area']:.2f}, recall {one['recall']:.2f}, {one['clips']} clips)" for one in left
        )
        + "."
    )
    yield ""


def unseen_lines(
    manifest: dict[str, Any], found: dict[str, tuple[Evidence, Evidence]], apart: dict[str, Any]
) -> Iterator[str]:
    """Recordings that trained nothing."""
    yield "### Sources never heard (eval/ and ESC-10 fold 5: neither backbone nor rows nor thresholds saw them)"
    yield ""
    shipped_columns = "shipped threshold | recall there | false alarms an hour there"
    yield f"| label | clips | sources | area under the curve | {BUDGET} | {shipped_columns} |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, (budget, shipped) in found.items():
        score = 1.0 / (1.0 + np.exp(-apart[name]["threshold"]))
        yield (
            f"| {name} | {budget.clips} | {budget.groups} | {budget.area:.3f} | {share(budget.heard, budget.clips)} | "
            f"{score:.3f} | {share(shipped.heard, shipped.clips)} | {shipped.alarms_per_hour:.1f} |"
        )
    missing = [name for name in manifest["labels"] if name not in found]
    if missing:
        yield f"\nNo recording of {', '.join(missing)} there: the table above is all that is known of them."
    yield ""
    yield "Each source of hand_clap and typing, at the threshold that ships:"
    for name in ("hand_clap", "typing"):
        parts = ", ".join(f"{source} {heard} of {clips}" for source, (heard, clips) in found[name][1].sources.items())
        yield f"- {name}: {parts}"
    yield ""


def probe_lines(probes: list[tuple[Probe, Probe]]) -> Iterator[str]:
    """Ours beside the teacher's. The intervals are those of the clips of one split: draws share their clips."""
    yield "### Linear probes on the embedding (clips named right; regularisation chosen inside the probe's training clips)"
    yield ""
    yield "| sounds | clips tested | starter | YAMNet |"
    yield "|---|---|---|---|"
    for ours, teachers in probes:
        results = " | ".join(probe_share(one) for one in (ours, teachers))
        yield f"| {ours.name} | {ours.clips} | {results} |"
    yield ""


def probe_share(probe: Probe) -> str:
    """The mean share of clips named right, with the 95 % interval of as many clips as one split tests."""
    low, high = wilson_interval(round(probe.share * probe.clips), probe.clips)
    return f"{probe.share:.3f} ({low:.2f} to {high:.2f})"


def points_lines(points: dict[str, Any]) -> Iterator[str]:
    """What int8 costs in points."""
    yield "### int8 against float, in points (recordings that trained neither; the float student: see above)"
    yield ""
    yield "| measured | float | int8 | int8 loses, in points |"
    yield "|---|---|---|---|"
    for name, one in points["probes"].items():
        yield points_line(f"probe: {name}", *(right / of for right, of in (one["float"], one["int8"])))
    for name, one in points["labels"].items():
        yield points_line(f"{name}: area under the curve", one["float"]["area"], one["int8"]["area"])
        for figure, title in (("budget", BUDGET), ("shipped", "recall at the threshold that ships")):
            shares = (heard / of for heard, of in (one["float"][figure], one["int8"][figure]))
            yield points_line(f"{name}: {title}", *shares)
    yield ""


def points_line(measured: str, before: float, after: float) -> str:
    """One row of that table; less than nothing lost is gained."""
    return f"| {measured} | {before:.3f} | {after:.3f} | {round(100 * (before - after), 1) + 0.0:.1f} |"


def source_lines() -> Iterator[str]:
    """Who recorded what trained it: one line for each source and licence."""
    yield "### Sources of the training recordings"
    yield ""
    yield "| source | licence | clips | of | as stated in |"
    yield "|---|---|---|---|---|"
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in training_clips():
        groups.setdefault((clip.source, clip.licence), []).append(clip)
    for (source, licence), clips in sorted(groups.items()):
        classes = ", ".join(name for name, _ in Counter(clip.label for clip in clips).most_common(4))
        stated = "; ".join(sorted({clip.licence_evidence.replace("|", "/") for clip in clips}))
        yield f"| {source} | {licence} | {len(clips)} | {classes} | {stated} |"


if __name__ == "__main__":
    main()
