"""From a plain regression on ESC-10 to `teach`'s fitting, step by step; what all options of the grid do. Not nested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from esc10_audit import share
from esc10_choice import Form, Option, grid, held_out_scores
from esc10_material import FOLDS, PATCH_SAMPLES, Clip, Corpus, Embedder, esc10_fold
from esc10_solver import by_solver, every_other, padded

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


def ablation(corpus: Corpus, clips: Sequence[Clip], embedder: Embedder, backbone: Path) -> Iterator[str]:
    """Lines of a table: step, by fold, all."""
    yield "| step (fixed beforehand, not nested) | folds 1 to 5 | all |"
    yield "|---|---|---|"
    yield from regressions(corpus, embedder)
    yield row("the same regression as models/starter/probes.py has it", plain(clips, backbone))
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


def regressions(corpus: Corpus, embedder: Embedder) -> Iterator[str]:
    """Plain multinomial regressions, C 0.01, a patch each 0.48 s, named by the mean of log probabilities."""
    from sklearn.linear_model import LogisticRegression

    solver, patches = LogisticRegression(C=0.01, max_iter=1000), every_other(corpus)
    silence = embedder.cells([np.zeros(PATCH_SAMPLES, np.int16)])
    for name, held, standardised in (
        ("padded with silence to 5 s, all patches", padded(patches, silence), False),
        ("padded with silence to 5 s, all patches, standardised", padded(patches, silence), True),
        ("as long as recordings are, all patches, standardised", patches, True),
    ):
        right = by_solver(held, np.ones(len(held.clip), np.bool_), solver, standardised=standardised)
        yield row(f"plain regression, {name}", [right[held.fold == fold] for fold in FOLDS])


def plain(clips: Sequence[Clip], backbone: Path) -> list[np.ndarray]:
    """The same of scikit-learn, C 0.01, standardised, patches that sound, one each 0.48 s."""
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
