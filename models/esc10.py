"""ESC-10 by its five folds: ten classes taught to a frozen backbone with `teach`'s fitting.

    python models/esc10.py STATE/models/yamnet [--work FOLDER] [--audit | --ablation]
    python models/esc10.py models/starter

Each of the five folds is scored once, by rows that were fitted to the other four. 288 options
(esc10_choice.py) say which stretches of a recording rows are fitted to, the ridge, the normalisation, and
which embeddings name a recording and how. For each fold one of them is chosen on the other four folds alone:
rows of three folds score the fourth, and the least cross entropy wins. Rows are linear, as the head's are.

--audit asks whether the figure could be due to something else. --ablation gives figures without any choice:
plain regressions, and every option fixed for all folds. Results, and what was known before the grid was
written, stand in models/README.md.

Needs the recordings (EDGE_AUDIO_SHARED, default ../shared) and soundfile. --audit and --ablation need
models/starter/requirements.txt. --work keeps the embeddings, outside the repository. It takes ten to twenty
minutes on one core.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from esc10_ablation import ablation
from esc10_audit import audit
from esc10_choice import Outcome, grid, nested
from esc10_material import FOLDS, Corpus, esc10_clips, kept_corpus

from edge.learn.embedding import Embedder
from edge.learn.figures import wilson_interval
from edge.model.classifier import Split, open_model

HONEST = {"starter": (5,)}
"""Folds that a backbone never heard; another model's: all."""


def main() -> None:
    """Arguments in, figures out."""
    parser = argparse.ArgumentParser(description="Measure a backbone on ESC-10, choosing inside the training folds only.")
    parser.add_argument("model", type=Path, help="folder of a model: the starter's, or one in models/ of a state directory")
    parser.add_argument("--work", type=Path, help="folder to keep embeddings in, outside the repository")
    parser.add_argument("--audit", action="store_true", help="instead: could the figure be due to something else?")
    parser.add_argument("--ablation", action="store_true", help="instead: from the plain regression to this, step by step")
    options = parser.parse_args()
    model = open_model(options.model)
    embedder = Embedder(model)
    assert isinstance(model, Split) and model.manifest.backbone is not None  # the Embedder has seen to it
    name, clips = model.manifest.name, esc10_clips()
    kept = options.work / f"esc10-{name}.npz" if options.work else None
    corpus = kept_corpus(kept, model.manifest.backbone.sha256, embedder, clips)
    print(f"# {name}, {model.runtime_name}: {len(clips)} recordings, {len(set(corpus.group))} sources")
    folds = HONEST.get(name, FOLDS)
    if options.audit or options.ablation:
        if folds != FOLDS:
            parser.error(f"{name}: only fold {folds[0]} is honest, and audits compare all five")
        backbone = options.model / model.manifest.backbone.file
        lines = audit(corpus, clips, embedder) if options.audit else ablation(corpus, clips, embedder, backbone)
    else:
        lines = report(corpus, folds)
    for line in lines:
        print(line, flush=True)


def report(corpus: Corpus, folds: Sequence[int]) -> Iterator[str]:
    """The nested figures: each fold's, all, and what was taken for what."""
    if tuple(folds) != FOLDS:
        yield f"fold {', '.join(map(str, folds))} only: the others were among the sound that the backbone was made with"
    options = grid()
    yield f"{len(options)} options, chosen without the fold that is scored"
    outcomes = []
    for fold in folds:
        outcomes.append(nested(corpus, options, fold))
        yield fold_line(corpus, outcomes[-1])
    right = np.concatenate([named_right(corpus, outcome) for outcome in outcomes])
    low, high = wilson_interval(int(right.sum()), len(right))
    if len(folds) > 1:
        mean = np.mean([named_right(corpus, outcome).mean() for outcome in outcomes])
        yield f"mean of the folds {100 * mean:.2f} %"
    yield f"all: {int(right.sum())} of {len(right)}, {100 * right.mean():.2f} % ({100 * low:.1f} to {100 * high:.1f} %)"
    yield from confusions(corpus, outcomes)


def named_right(corpus: Corpus, outcome: Outcome) -> np.ndarray:
    """bool (n,): which recordings of the fold are named right."""
    right: np.ndarray = outcome.scores.argmax(axis=1) == corpus.label[corpus.fold == outcome.fold]
    return right


def fold_line(corpus: Corpus, outcome: Outcome) -> str:
    """One fold in a line."""
    right, chosen = named_right(corpus, outcome), outcome.chosen
    return (
        f"fold {outcome.fold}: {int(right.sum())} of {len(right)}, {right.mean():.4f}; chosen: {chosen.option} "
        f"(inside: {chosen.inner:.4f}, cross entropy {chosen.loss:.4f})"
    )


def confusions(corpus: Corpus, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What was taken for what, how often, and which recordings."""
    found: Counter[tuple[str, str]] = Counter()
    files: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        place = np.flatnonzero(corpus.fold == outcome.fold)
        for number, guess in zip(place, outcome.scores.argmax(axis=1), strict=True):
            if guess != corpus.label[number]:
                pair = corpus.names[corpus.label[number]], corpus.names[guess]
                found[pair] += 1
                files.setdefault(pair, []).append(Path(corpus.path[number]).stem.split("__")[1])
    for pair, count in found.most_common():
        yield f"  {pair[0]} taken for {pair[1]}: {count} ({', '.join(files[pair])})"


if __name__ == "__main__":
    sys.exit(main())
