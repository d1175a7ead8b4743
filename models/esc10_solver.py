"""ESC-10's classes fitted by scikit-learn on the same embeddings, to compare our own fitting with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from esc10_choice import clip_scores
from esc10_material import FOLDS, PATCH, Corpus, patch_starts

FIVE_SECONDS = 80_000


def by_solver(
    corpus: Corpus, used: npt.NDArray[np.bool_], solver: Any, *, standardised: bool = True
) -> npt.NDArray[np.bool_]:
    """bool (n,): named right by the mean of log probabilities, rows of scikit-learn's `solver` fitted to other folds.

    used: bool (m,), the embeddings that are fitted to and that name a recording.
    """
    right = np.zeros(len(corpus.label), np.bool_)
    for fold in FOLDS:
        learning, own = used & (corpus.fold[corpus.clip] != fold), used & (corpus.fold[corpus.clip] == fold)
        fitted_to, heard = corpus.embeddings(learning), corpus.embeddings(own)
        if standardised:
            from sklearn.preprocessing import StandardScaler

            scaler = StandardScaler().fit(fitted_to)
            fitted_to, heard = scaler.transform(fitted_to), scaler.transform(heard)
        solver.fit(fitted_to, corpus.label[corpus.clip[learning]])
        chance = np.log(np.maximum(solver.predict_proba(heard), 1e-12)).astype(np.float32)
        place = np.flatnonzero(corpus.fold == fold)
        number = np.searchsorted(place, corpus.clip[own])
        right[place] = clip_scores(chance, number, len(place), "mean").argmax(axis=1) == corpus.label[place]
    return right


def every_other(corpus: Corpus) -> Corpus:
    """Of the corpus the patches alone, one each 0.48 s."""
    patch = corpus.kind == PATCH
    first = np.searchsorted(corpus.clip, np.arange(len(corpus.label)))  # a recording's patches lie first
    kept = np.flatnonzero(patch & ((np.arange(len(patch)) - first[corpus.clip]) % 2 == 0))
    return replace(corpus, **{name: getattr(corpus, name)[kept] for name in ("cells", "clip", "kind", "below_db", "silent")})


def padded(corpus: Corpus, silence: npt.NDArray[np.int8]) -> Corpus:
    """A corpus of `every_other`, with so many patches of silence, int8 (1, e), more as make five seconds of each."""
    whole = len(patch_starts(FIVE_SECONDS)[::2])
    missing = np.maximum(whole - np.bincount(corpus.clip, minlength=len(corpus.label)), 0)
    clip = np.repeat(np.arange(len(missing)), missing)
    return replace(
        corpus,
        cells=np.concatenate((corpus.cells, np.repeat(silence, len(clip), axis=0))),
        clip=np.concatenate((corpus.clip, clip)),
        kind=np.full(len(corpus.clip) + len(clip), PATCH),
        below_db=np.concatenate((corpus.below_db, np.full(len(clip), np.inf, np.float32))),
        silent=np.concatenate((corpus.silent, np.ones(len(clip), np.float32))),
    )
