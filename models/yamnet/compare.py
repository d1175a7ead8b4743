"""Recall at five false alarms an hour on sources never heard: YAMNet's own labels, and our rows.

    python models/yamnet/compare.py --work FOLDER [--write]

Sounds are those of split eval and ESC-10 fold 5. False alarms are counted on all clips that are not of the sound: these,
and the training clips as rows score them that saw nothing of their source (FOLDER is train.py's, which left those scores
there). Nothing is chosen here. --write puts the figures into MODEL_CARD.md. It takes a minute.
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
from clip_logits import read_left_out
from clips import Clip, measuring_clips, training_clips
from evidence import ALARMS_PER_HOUR, Evidence, judge
from labels import Label, absent_in, present_in, staged
from material import embedded, material
from measure import hours, threshold_for

Floats = npt.NDArray[np.float32]
HERE = Path(__file__).resolve().parent
CARD = HERE / "MODEL_CARD.md"
FIRST, LAST = "<!-- figures -->", "<!-- end of figures -->"
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
    known = material(published, work)
    trained = known.by_clip(known.embeddings)
    apart_scores = read_left_out(work / "yamnet-left_out.npz")
    heard = {
        "YAMNet's own labels": {
            label.name: of_published(published, [*embeddings, *trained], label.name) for label in TRIED
        },
        "ours": {
            name: [*scores, *(apart_scores[name][clip.path] for clip in training_clips())]
            for name, scores in ours(published, described, embeddings).items()
        },
    }
    yield f"- rows.npz: sha256 `{described['rows']['sha256']}`, {described['rows']['bytes']:,} bytes"
    yield f"- fitted on backbone `{described['backbone_sha256']}`, cut from `{described['published_sha256']}`"
    yield ""
    yield from left_out_lines(described, apart)
    yield from unseen_lines(clips, heard)
    for name in SHOWN:
        shipped = heard["ours"] if name in heard["ours"] else heard["YAMNet's own labels"]
        yield from detail_lines(name, clips, shipped[name])


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


def unseen_lines(clips: list[Clip], heard: dict[str, dict[str, list[Floats]]]) -> Iterator[str]:
    """Recordings that trained nothing, at the threshold of 5 false alarms an hour on all clips that are not of the sound."""
    yield "### Sources never heard (eval/ and ESC-10 fold 5), recall at 5 false alarms an hour"
    yield ""
    yield f"| label | clips | sources | {' | '.join(heard)} | hours without it |"
    yield "|---|---|---|---|---|---|"
    for label in TRIED:
        own = [clip for clip in clips if present_in(clip, label)]
        if not own:
            continue
        cells = []
        for scores in heard.values():
            if label.name not in scores:
                cells.append("-")
                continue
            found = at_budget(scores[label.name], clips, label)
            cells.append(f"{share(found.heard, found.clips)}, area {found.area:.3f}")
        without = hours(everyday(heard["YAMNet's own labels"][label.name], clips, label))
        yield f"| {label.name} | {len(own)} | {len({clip.group for clip in own})} | {' | '.join(cells)} | {without:.2f} |"
    yield ""


def everyday(scores: Sequence[Floats], clips: list[Clip], label: Label) -> list[Floats]:
    """Scores of measuring and training clips that do not hold the sound, those made on purpose left out."""
    every = [*clips, *training_clips()]
    return [one for one, clip in zip(scores, every, strict=True) if absent_in(clip, label) and not staged(clip)]


def at_budget(scores: Sequence[Floats], clips: list[Clip], label: Label) -> Evidence:
    """A label judged on the measuring clips, at the threshold that keeps the budget on all clips that do not hold it."""
    threshold = threshold_for(everyday(scores, clips, label), ALARMS_PER_HOUR)
    return judge(scores[: len(clips)], clips, label, threshold)


def detail_lines(name: str, clips: list[Clip], scores: Sequence[Floats]) -> Iterator[str]:
    """Which sources are missed, and what the false alarms are, at 5 an hour."""
    label = next(label for label in TRIED if label.name == name)
    found = at_budget(scores, clips, label)
    yield f"{name}, heard of each source: " + ", ".join(f"{one} {n} of {of}" for one, (n, of) in found.sources.items())
    yield ""
    every = [*clips, *training_clips()]
    yield f"{name}, clips with a false alarm: {_told(taken(scores, every, label, found))}."
    yield f"Staged sounds taken for it: {_told(taken(scores, every, label, found, on_purpose=True))}."
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
