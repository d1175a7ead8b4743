"""From the plain regression behind ESC-10's 96.0 % to the nested figure, step by step. Nothing here is nested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from esc10_audit import share
from esc10_choice import Form, Option, grid, held_out_scores
from esc10_material import FOLDS, Clip, Corpus, esc10_fold

STEPS = (
    (
        "teach's regression, ridge as there, a patch each 0.24 s",
        Option(Form("patches", 0.1, 0.1), "sounding", "log-probability"),
    ),
    ("columns that hardly move kept small", Option(Form("patches", 0.1, 1.0), "sounding", "log-probability")),
    ("named by mean logits", Option(Form("patches", 0.1, 1.0), "sounding", "mean")),
    ("fitted to the stretches that teach finds", Option(Form("stretches", 0.1, 1.0), "sounding", "mean")),
    ("and to altered ones", Option(Form("altered", 0.1, 1.0), "sounding", "mean")),
    ("named by the stretches that teach measures with", Option(Form("altered", 0.1, 1.0), "heard", "mean")),
    ("by their log-mean-exp", Option(Form("altered", 0.1, 1.0), "heard", "log-mean-exp")),
    ("by their highest logit", Option(Form("altered", 0.1, 1.0), "heard", "max")),
)
"""Set down before any of them was measured; each changes one thing of the step before (the last three: how to name)."""


def ablation(corpus: Corpus, clips: Sequence[Clip], backbone: Path) -> Iterator[str]:
    """Lines of a table: step, by fold, all."""
    yield "| step (fixed beforehand, not nested) | folds 1 to 5 | all |"
    yield "|---|---|---|"
    yield row("plain multinomial regression (models/starter/probes.py)", plain(clips, backbone))
    for name, option in STEPS:
        yield row(f"{name}: {option}", named_right(corpus, option))
    options = grid()
    found = held_out_scores(corpus, options)
    totals = np.array([(found[option].argmax(axis=1) == corpus.label).mean() for option in options])
    best = options[int(totals.argmax())]
    yield row(f"the best of {len(options)} options, *chosen by this very figure*: {best}", named_right(corpus, best))
    low, middle, high = 100 * np.quantile(totals, (0.0, 0.5, 1.0))
    yield f"\nall {len(options)} options, each fixed: worst {low:.2f} %, median {middle:.2f} %, best {high:.2f} %"


def named_right(corpus: Corpus, option: Option) -> list[np.ndarray]:
    """bool (n,) of each fold."""
    right = held_out_scores(corpus, [option])[option].argmax(axis=1) == corpus.label
    return [right[corpus.fold == fold] for fold in FOLDS]


def plain(clips: Sequence[Clip], backbone: Path) -> list[np.ndarray]:
    """The same, of the regression that made 96.0 %: scikit-learn, C 0.01, patches that sound, each 0.48 s."""
    from backbone import Backbone
    from probes import probe

    embed = Backbone(backbone).embeddings
    out = []
    for fold in FOLDS:
        own = [clip for clip in clips if esc10_fold(clip) == fold]
        found = probe(f"fold {fold}", embed, [clip for clip in clips if esc10_fold(clip) != fold], own)
        out.append(np.arange(found.clips) < found.right)
    return out


def row(name: str, right: Sequence[np.ndarray]) -> str:
    """One line."""
    return f"| {name} | {' '.join(f'{one.mean():.4f}' for one in right)} | {share(np.concatenate(right))} |"
