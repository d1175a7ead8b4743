"""The rows on the frozen int8 backbone, their thresholds by out-of-fold scores, and the manifest.

The rows read the joined values only, which were trained with these labels in mind. The pooled values serve
sounds that nobody thought of in training. Rows that read both found fewer claps of unknown sources.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from backbone import Backbone
from bands import patches_of
from clip_logits import write_left_out
from clips import Clip, read_clip, training_clips, write_sources
from evidence import Evidence, judge
from fit import fit_rows, folds_of
from labels import EXPERIMENTAL, KEPT, LABELS, Label
from manifest import write_manifest
from measure import HOP_SECONDS
from rowset import RowSet, row_set
from student import JOINED
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
FOLDS = 8
RIDGE = 1e-1  # strong: the sources are few
ABSENT_SHARE = 3.0  # what all negatives weigh together, all positives being 1
MISTAKEN = 1.5  # what a hard negative weighs beside another
RELEASE_LOGITS = 1.5  # how far below its threshold a target is let go


def clip_embeddings(backbone: Backbone, clips: list[Clip]) -> list[Floats]:
    """Each clip as it is, every 0.24 s: float32 (patches, e) each."""
    return [
        backbone.embeddings(patches_of(read_clip(clip), HOP_SECONDS)) for clip in tqdm(clips, desc="clips", unit="clip")
    ]


def answers(found: RowSet, clips: list[Clip], labels: tuple[Label, ...]) -> tuple[Floats, Floats]:
    """What each window says about each label: wanted and weights, both float32 (n, labels).

    All positives of a label weigh 1 together, all negatives ABSENT_SHARE; a library of many clips weighs as the square
    root of its size.
    """
    name = np.array([clip.label for clip in clips] + ["noise"])[found.clip]
    source = np.array([clip.source for clip in clips] + ["noise"])[found.clip]
    group = np.array([clip.group for clip in clips] + ["noise"])[found.clip]
    behind = np.where(found.behind >= 0, np.array([clip.label for clip in clips])[found.behind], "")
    crowd = np.unique(np.char.add(np.char.add(name, "/"), group), return_inverse=True)[1]
    fair = 1.0 / np.sqrt(np.bincount(crowd)[crowd])
    wanted = np.zeros((len(name), len(labels)), np.float32)
    weights = np.zeros_like(wanted)
    for number, label in enumerate(labels):
        own = np.isin(name, label.classes)
        present = own & (found.presence == 1) & ~np.isin(source, label.not_from)
        absent = ~own & ~np.isin(name, label.neither) & ~np.isin(behind, label.classes + label.neither)
        absent |= own & (found.presence == -1) & (name != "keyboard_key")
        if label.noise_is_like_it:
            absent &= name != "noise"
        weight = fair * np.where(np.isin(name, label.mistaken), MISTAKEN, 1.0)
        wanted[present, number] = 1.0
        weights[present, number] = weight[present] / max(float(weight[present].sum()), 1e-9)
        weights[absent, number] = ABSENT_SHARE * weight[absent] / max(float(weight[absent].sum()), 1e-9)
    return wanted, weights


def out_of_fold(
    embeddings: Floats, found: RowSet, clips: list[Clip], whole: list[Floats], labels: tuple[Label, ...], ridge: float
) -> list[Floats]:
    """Logits of every clip as it is, by rows fitted without its group: float32 (patches, labels) each."""
    wanted, weights = answers(found, clips, labels)
    fold_of = folds_of([clip.group for clip in clips], [clip.label for clip in clips], FOLDS)
    of_window = np.where(found.clip >= 0, fold_of[found.clip], -1)
    of_behind = np.where(found.behind >= 0, fold_of[found.behind], -1)
    scored: list[Floats] = [np.zeros((0, 0), np.float32)] * len(clips)
    for fold in range(FOLDS):
        used = (of_window != fold) & (of_behind != fold)
        rows, bias = fit_rows(embeddings[used], wanted[used], weights[used], ridge)
        for number in np.flatnonzero(fold_of == fold):
            scored[number] = whole[number] @ rows.T + bias
    return scored


def fit_head(out: Path, work: Path, seed: int, ridge: float = RIDGE) -> list[Evidence]:
    """Fit, judge, and write head.npz, manifest.json, out_of_fold.json, sources.csv and (in work) left_out.npz."""
    backbone, clips = Backbone(out / "backbone.tflite"), training_clips()
    found = row_set(work, seed)
    embeddings = backbone.embeddings(found.patches)[:, -JOINED:]
    whole = [values[:, -JOINED:] for values in clip_embeddings(backbone, clips)]
    scored = out_of_fold(embeddings, found, clips, whole, LABELS, ridge)
    write_left_out(work / "left_out.npz", clips, [label.name for label in LABELS], scored)
    evidence = [judge([logits[:, number] for logits in scored], clips, label) for number, label in enumerate(LABELS)]
    for one in sorted(evidence, key=lambda one: -one.recall):
        at = f"recall {one.recall:.2f} at {one.alarms_per_hour:.1f} false alarms an hour (logit {one.threshold:.2f})"
        print(f"{one.label:16s} area {one.area:.3f}, {at}, {one.clips} clips, {one.groups} groups")
    chosen = [(label, one) for label, one in zip(LABELS, evidence, strict=True) if label.name in KEPT + EXPERIMENTAL]
    rows, bias = fit_rows(embeddings, *answers(found, clips, tuple(label for label, _ in chosen)), ridge)
    with (out / "head.npz").open("wb") as file:
        pooled = backbone.output["shape"][-1] - JOINED
        np.savez(file, weights=np.pad(rows, ((0, 0), (pooled, 0))), bias=bias)
    write_sources(out / "sources.csv", clips)
    thresholds = {label.name: (one.threshold, one.threshold - RELEASE_LOGITS) for label, one in chosen}
    write_manifest(out, backbone, thresholds)
    (out / "out_of_fold.json").write_text(json.dumps([asdict(one) for one in evidence], indent=1) + "\n")
    return evidence
