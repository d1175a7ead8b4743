"""Recall at five false alarms an hour on sources never heard: YAMNet's own labels, a plain regression, and our rows.

    python models/yamnet/compare.py --work FOLDER [--write]

Measures on split eval and ESC-10 fold 5; nothing is chosen here. --write puts the figures into MODEL_CARD.md. FOLDER is
train.py's: the plain regression is fitted anew on the training clips in it. It takes some minutes.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lean import TARGETS, TRIED
from published import Published, yamnet

# isort: split
from backbone import Backbone
from card import share
from clips import Clip, measuring_clips, training_clips
from evidence import Evidence, judge
from fit import fit_rows
from labels import Label, absent_in, staged
from material import embedded, material

Floats = npt.NDArray[np.float32]
HERE = Path(__file__).resolve().parent
CARD = HERE / "MODEL_CARD.md"
FIRST, LAST = "<!-- figures -->", "<!-- end of figures -->"
PLAIN_RIDGE = 1e-3
SHOWN = ("hand_clap", "typing")


def main() -> None:
    """Print, and write where asked."""
    parser = argparse.ArgumentParser(description="Measure our rows for YAMNet; print their card's figures.")
    parser.add_argument("--work", type=Path, required=True, help="the folder of train.py")
    parser.add_argument("--write", action="store_true", help="put them into MODEL_CARD.md")
    arguments = parser.parse_args()
    figures = "\n".join(figure_lines(arguments.work))
    print(figures)
    if arguments.write:
        card = CARD.read_text(encoding="utf-8")
        before, rest = card.split(FIRST)
        CARD.write_text(f"{before}{FIRST}\n{figures}\n{LAST}{rest.split(LAST)[1]}", encoding="utf-8")


def figure_lines(work: Path) -> Iterator[str]:
    """The figures as Markdown."""
    published = yamnet()
    described = json.loads((HERE / "rows.json").read_text(encoding="utf-8"))
    apart = json.loads((HERE / "out_of_fold.json").read_text(encoding="utf-8"))
    clips = measuring_clips()
    embeddings = embedded(Backbone(published.backbone), clips)
    heard = {
        "YAMNet's own labels": {label.name: of_published(published, embeddings, label.name) for label in TRIED},
        "plain regression": plain(published, work, embeddings),
        "ours": ours(published, described, embeddings),
    }
    yield f"- rows.npz: sha256 `{described['rows']['sha256']}`, {described['rows']['bytes']:,} bytes"
    yield f"- fitted on backbone `{described['backbone_sha256']}`, cut from `{described['published_sha256']}`"
    yield ""
    yield from left_out_lines(described, apart)
    yield from unseen_lines(clips, heard, described)
    for name in SHOWN:
        yield from detail_lines(name, clips, heard["ours"][name])


def of_published(published: Published, embeddings: Sequence[Floats], name: str) -> list[Floats]:
    """The highest of YAMNet's own labels of a target: float32 (patches,) for each clip."""
    own = [published.labels.index(label) for label in TARGETS[name].labels]
    return [(found @ published.weights[own].T + published.bias[own]).max(1) for found in embeddings]


def ours(published: Published, described: dict[str, Any], embeddings: Sequence[Floats]) -> dict[str, list[Floats]]:
    """Our rows as `model install` puts them together."""
    found = {}
    with np.load(HERE / "rows.npz") as arrays:
        weights, bias = arrays["weights"], arrays["bias"]
    for number, name in enumerate(described["labels"]):
        leant = described["shares"].get(name, {})
        own = [published.labels.index(label) for label in leant]
        shares = np.array(list(leant.values()), np.float32)
        row = weights[number] + shares @ published.weights[own]
        offset = bias[number] + shares @ published.bias[own]
        found[name] = [embedding @ row + offset for embedding in embeddings]
    return found


def plain(published: Published, work: Path, embeddings: Sequence[Floats]) -> dict[str, list[Floats]]:
    """A balanced logistic regression on every patch of the training clips, as they are."""
    held, clips = material(published, work), training_clips()
    inputs = held.embeddings[held.windows :]
    names = np.repeat(np.array([clip.label for clip in clips]), held.counts)
    wanted = np.stack([np.isin(names, label.classes) for label in TRIED], axis=1).astype(np.float32)
    weights = np.where(wanted == 1, 1 / wanted.sum(0), 1 / (1 - wanted).sum(0)).astype(np.float32)
    rows, bias = fit_rows(inputs, wanted, weights, PLAIN_RIDGE)
    return {
        label.name: [embedding @ rows[number] + bias[number] for embedding in embeddings]
        for number, label in enumerate(TRIED)
    }


def left_out_lines(described: dict[str, Any], apart: dict[str, Any]) -> Iterator[str]:
    """Training clips, each scored by rows that saw nothing of its source."""
    yield "### Sources left out (training clips and their altered windows; what chose the rows that ship)"
    yield ""
    yield "| label | clips | sources | windows: YAMNet | ours | recall at 5 an hour: YAMNet | ours | staged taken for it |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, judged in apart.items():
        theirs, own = judged["yamnet"], judged["ours"]
        kept = "" if name in described["labels"] else " (YAMNet's own label stays)"
        yield (
            f"| {name}{kept} | {own['clips']} | {own['groups']} | {theirs['windows']:.3f} | {own['windows']:.3f} | "
            f"{share(theirs['heard'], theirs['clips'])} | {share(own['heard'], own['clips'])} | {own['staged_share']:.2f} |"
        )
    yield ""


def unseen_lines(
    clips: list[Clip], heard: dict[str, dict[str, list[Floats]]], described: dict[str, Any]
) -> Iterator[str]:
    """Recordings that trained nothing: at the budget of this material, and at the threshold that ships."""
    yield "### Sources never heard (eval/ and ESC-10 fold 5), recall at 5 false alarms an hour"
    yield ""
    yield f"| label | clips | sources | {' | '.join(heard)} | ours at the shipped threshold | false alarms an hour there |"
    yield "|---|---|---|---|---|---|---|---|"
    thresholds = {target["name"]: target["threshold"] for target in described["targets"]}
    for label in TRIED:
        if label.name not in heard["ours"] or not any(clip.label in label.classes for clip in clips):
            continue
        found = {how: judge(scores[label.name], clips, label) for how, scores in heard.items() if label.name in scores}
        cells = " | ".join(f"{share(one.heard, one.clips)}, area {one.area:.3f}" for one in found.values())
        logit = float(np.log(thresholds[label.name] / (1 - thresholds[label.name])))
        shipped = judge(heard["ours"][label.name], clips, label, logit)
        one = found["ours"]
        yield (
            f"| {label.name} | {one.clips} | {one.groups} | {cells} | {share(shipped.heard, shipped.clips)} | "
            f"{shipped.alarms_per_hour:.1f} |"
        )
    yield ""


def detail_lines(name: str, clips: list[Clip], scores: Sequence[Floats]) -> Iterator[str]:
    """Which sources are missed, and what the false alarms are, at 5 an hour."""
    label = next(label for label in TRIED if label.name == name)
    found = judge(scores, clips, label)
    yield f"{name}, heard of each source: " + ", ".join(f"{one} {n} of {of}" for one, (n, of) in found.sources.items())
    yield ""
    yield f"{name}, clips with a false alarm: {_told(taken(scores, clips, label, found))}."
    yield f"Staged sounds taken for it: {_told(taken(scores, clips, label, found, on_purpose=True))}."
    yield ""


def taken(
    scores: Sequence[Floats], clips: list[Clip], label: Label, found: Evidence, *, on_purpose: bool = False
) -> Counter[str]:
    """Class of each clip that reaches the threshold without holding the sound."""
    return Counter(
        clip.label
        for logits, clip in zip(scores, clips, strict=True)
        if absent_in(clip, label) and staged(clip) == on_purpose and logits.max() >= found.threshold
    )


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    main()
