"""Could ESC-10's figure be due to something else? Shared sources, duplicates, a leak, our solver, the padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from esc10_choice import SMALL_GRID, Form, Option, counted, fit, held_out_scores, nested, scores
from esc10_material import FOLDS, PATCH, Clip, Corpus, Embedder, Numbers, gather, pcm
from esc10_solver import by_solver

from edge.learn.figures import wilson_interval

FIXED = Option(Form("patches", 0.1, 1.0), "sounding", "mean")
"""For audits that need an option and must not choose one: `teach`'s second form, the plainest way to name a recording."""
SLOW_RATE = 4
"""Waveforms are compared at 16 kHz over this."""
OVERLAP_SECONDS = 0.5
"""Stretches that are compared are at least so long."""
ALIKE = 0.5
"""Correlation from which two recordings are shown, and left out of the training."""
SHUFFLES = 3
NEAR_NUMBERS = 50
"""Freesound numbers this near, of one class: someone put up what they had recorded that day."""

Wide = npt.NDArray[np.float64]


def audit(corpus: Corpus, clips: Sequence[Clip], embedder: Embedder) -> Iterator[str]:
    """Every finding, in lines."""
    yield "## a. sources"
    yield from sources(corpus)
    yield from sessions(corpus)
    yield "## b. duplicates"
    yield from duplicates(corpus, [pcm(clip).astype(np.float64) for clip in clips])
    yield "## c. shuffled labels"
    yield from shuffled(corpus)
    yield "## d. another solver"
    yield from solvers(corpus)
    yield "## f. padding"
    yield from padding(corpus, gather(embedder, clips, patches_only=True, loop=True))


def share(right: npt.NDArray[np.bool_]) -> str:
    """How many, and the interval."""
    low, high = wilson_interval(int(right.sum()), len(right))
    return f"{int(right.sum())} of {len(right)}, {100 * right.mean():.2f} % ({100 * low:.1f} to {100 * high:.1f} %)"


def fixed(corpus: Corpus, option: Option = FIXED) -> npt.NDArray[np.bool_]:
    """bool (n,): recordings named right by rows of the folds that they are not in."""
    right: npt.NDArray[np.bool_] = held_out_scores(corpus, [option])[option].argmax(axis=1) == corpus.label
    return right


def sources(corpus: Corpus) -> Iterator[str]:
    """Freesound numbers in more than one fold. Raises ValueError where one is: the folds would not be independent."""
    folds: dict[str, set[int]] = {}
    for group, fold in zip(corpus.group, corpus.fold, strict=True):
        folds.setdefault(str(group), set()).add(int(fold))
    shared = sorted(group for group, where in folds.items() if len(where) > 1)
    yield f"{len(folds)} Freesound numbers, {len(shared)} of them in more than one fold"
    if shared:
        raise ValueError(f"found {', '.join(shared)} in more than one fold, wanted each source in one")


def sessions(corpus: Corpus) -> Iterator[str]:
    """What may be of one recording session all the same, and the accuracy where none of it trains for another fold."""
    number = np.array([int(group.split("/")[-1]) for group in corpus.group])
    near = (np.abs(number[:, None] - number) <= NEAR_NUMBERS) & (corpus.label[:, None] == corpus.label)
    near &= corpus.fold[:, None] != corpus.fold
    found = sorted({(min(number[one], number[other]), max(number[one], number[other])) for one, other in np.argwhere(near)})
    yield f"numbers at most {NEAR_NUMBERS} apart, of one class, in different folds: {len(found)} pairs"
    yield f"  {', '.join(f'{one} and {other}' for one, other in found)}"
    yield f"training without them: {share(without_alike(corpus, near))}; with them ({FIXED}): {share(fixed(corpus))}"


def alike(one: Wide, other: Wide, overlap: int) -> float:
    """The highest normalised correlation of two waveforms, of either sign, float64 (n,) and (k,), at any shift that leaves
    `overlap` samples of both (or all of the shorter); each shift is normalised by the energy of what overlaps."""
    least = min(overlap, len(one), len(other))
    size = -(-(len(one) + len(other)) // 4096) * 4096  # few and small prime factors
    product = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(other, size)), size)
    # Shift s: one[i] beside other[i - s].
    shifts = np.arange(least - len(other), len(one) - least + 1)
    start, stop = np.maximum(shifts, 0), np.minimum(len(one), shifts + len(other))
    energy = [np.concatenate(([0.0], np.cumsum(each * each))) for each in (one, other)]
    power = (energy[0][stop] - energy[0][start]) * (energy[1][stop - shifts] - energy[1][start - shifts])
    # Where hardly anything sounds, rounding would correlate.
    floor = (1e-3 * min(energy[0][-1], energy[1][-1])) ** 2
    return float(np.max(np.abs(product[shifts % size]) / np.sqrt(np.maximum(power, floor))))


def slow(samples: Wide) -> Wide:
    """float64 (n,) to (n // 4,): the mean of each four, without its own mean."""
    cut = samples[: len(samples) // SLOW_RATE * SLOW_RATE].reshape(-1, SLOW_RATE).mean(axis=1)
    found: Wide = cut - cut.mean()
    return found


def duplicates(corpus: Corpus, waveforms: Sequence[Wide]) -> Iterator[str]:
    """Recordings of different folds that are alike, by waveform and by embedding, and the accuracy without them."""
    slowed = [slow(waveform) for waveform in waveforms]
    overlap = round(OVERLAP_SECONDS * 16_000 / SLOW_RATE)
    across = np.zeros((len(slowed), len(slowed)))
    for one in range(len(slowed)):
        for other in np.flatnonzero(corpus.fold > corpus.fold[one]):
            across[one, other] = across[other, one] = alike(slowed[one], slowed[other], overlap)
    yield from pairs("waveforms", across, corpus)
    used = counted(corpus, "sounding")
    embeddings = corpus.embeddings(used)
    mean = np.stack([embeddings[corpus.clip[used] == number].mean(axis=0) for number in range(len(corpus.label))])
    scaled = (mean - mean.mean(axis=0)) / np.maximum(mean.std(axis=0), 0.1 * mean.std())
    near = scaled @ scaled.T / np.outer(np.linalg.norm(scaled, axis=1), np.linalg.norm(scaled, axis=1))
    near[corpus.fold[:, None] == corpus.fold] = 0.0
    yield from pairs("mean embeddings", near, corpus)
    same = (corpus.group[:, None] == corpus.group) & ~np.eye(len(corpus.group), dtype=bool)
    kindred = (scaled @ scaled.T / np.outer(np.linalg.norm(scaled, axis=1), np.linalg.norm(scaled, axis=1)))[same]
    yield f"for comparison, mean embeddings of two recordings of one source: median {np.median(kindred):.3f}"
    for name, table, limit in (("waveforms", across, ALIKE), ("mean embeddings", near, float(np.median(kindred)))):
        right = without_alike(corpus, table > limit)
        yield f"training without what is alike to the fold that is scored ({name} over {limit:.2f}): {share(right)}"
    yield f"with it ({FIXED}): {share(fixed(corpus))}"


def pairs(name: str, table: Wide, corpus: Corpus) -> Iterator[str]:
    """The five most alike of different folds."""
    upper = np.triu(table, 1)
    found = upper.ravel().argsort()[::-1][:5]
    yield f"{name}: {int((upper > ALIKE).sum())} pairs of different folds correlate over {ALIKE}; the highest:"
    for one, other in zip(*np.unravel_index(found, upper.shape), strict=True):
        named = (f"{str(corpus.path[each]).split('__')[1]} {corpus.names[corpus.label[each]]}" for each in (one, other))
        yield f"  {upper[one, other]:.3f} {' and '.join(named)}"


def without_alike(corpus: Corpus, near: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """bool (n,) named right, where no recording trains that is near (bool (n, n)) to one of the fold that is scored."""
    right = np.zeros(len(corpus.label), np.bool_)
    for fold in FOLDS:
        own = corpus.fold == fold
        # A fold of its own for what may train: those that are near stay behind.
        apart = replace(corpus, fold=np.where(own, fold, np.where(near[own].any(axis=0), -1, 0)))
        found = scores(corpus.only([fold]), fit(apart.only([0]), FIXED.form), [FIXED])[FIXED]
        right[own] = found.argmax(axis=1) == corpus.label[own]
    return right


def shuffle(corpus: Corpus, seed: int) -> Corpus:
    """Labels dealt anew, those of a source together: what is left to learn is a leak."""
    groups, number = np.unique(corpus.group, return_inverse=True)
    label = np.random.default_rng(seed).permutation(np.resize(np.arange(len(corpus.names)), len(groups)))
    return replace(corpus, label=label[number])


def shuffled(corpus: Corpus) -> Iterator[str]:
    """The whole nested way, with a small grid, on labels that mean nothing."""
    yield f"labels as they are, chosen among {len(SMALL_GRID)} options: {share(nested_right(corpus))}"
    for seed in range(SHUFFLES):
        dealt = shuffle(corpus, seed)
        common = np.bincount(dealt.label).max() / len(dealt.label)
        yield f"seed {seed}: {share(nested_right(dealt))}; the commonest class has {100 * common:.1f} %"


def nested_right(corpus: Corpus) -> npt.NDArray[np.bool_]:
    """bool (n,) named right, in the order of the folds, by what the small grid offers."""
    found = [nested(corpus, SMALL_GRID, fold) for fold in FOLDS]
    return np.concatenate([one.scores.argmax(axis=1) == corpus.label[corpus.fold == one.fold] for one in found])


def solvers(corpus: Corpus) -> Iterator[str]:
    """scikit-learn on the same embeddings, beside our fit; every recording named by the mean of its log probabilities."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    yield f"ours: {share(fixed(corpus, replace(FIXED, pooling='log-probability')))}"
    plain = LogisticRegression(C=0.01, max_iter=1000)
    for name, solver in (("multinomial", plain), ("one against the rest", OneVsRestClassifier(plain))):
        yield f"scikit-learn, {name}: {share(by_solver(corpus, counted(corpus, 'sounding'), solver))}"


def padding(corpus: Corpus, looped: Corpus) -> Iterator[str]:
    """Is silence a cue? Named by silence alone, without patches that hold any, and with none there."""
    patch = corpus.kind == PATCH
    clips = len(corpus.label)
    count = np.bincount(corpus.clip[patch], minlength=clips)
    silent = np.bincount(corpus.clip[patch], corpus.silent[patch], minlength=clips) / count
    yield f"named by number of patches and share of silence alone: {share(by_length(corpus, count, silent))}"
    yield f"silence where it is ({FIXED}): {share(fixed(corpus))}"
    for name, kept in (
        ("patches of no silence only, the least silent where a recording has none", least_silent(corpus)),
        ("one patch of each recording, the least silent, loudest one", one_each(corpus)),
    ):
        left = replace(
            corpus,
            **{part: getattr(corpus, part)[kept] for part in ("cells", "clip", "kind", "silent")},
            below_db=np.zeros(int(kept.sum()), np.float32),
        )
        yield f"{name} ({int(kept.sum())} of {int(patch.sum())}): {share(fixed(left))}"
    yield f"each recording over and over instead of silence behind it: {share(fixed(looped))}"


def by_length(corpus: Corpus, count: Numbers, silent: Wide, neighbours: int = 15) -> npt.NDArray[np.bool_]:
    """bool (n,): named right by the commonest class of the nearest recordings of other folds in (count, silent share)."""
    places = np.stack([count / count.std(), silent / silent.std()], axis=1)
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    distance[corpus.fold[:, None] == corpus.fold] = np.inf
    nearest = distance.argsort(axis=1)[:, :neighbours]
    named = np.array([np.bincount(corpus.label[one], minlength=len(corpus.names)).argmax() for one in nearest])
    right: npt.NDArray[np.bool_] = named == corpus.label
    return right


def least_silent(corpus: Corpus) -> npt.NDArray[np.bool_]:
    """bool (m,): patches that sound and hold no silence; of a recording without one, the one that holds least."""
    sounding = counted(corpus, "sounding")
    kept = sounding & (corpus.silent == 0.0)
    for number in np.setdiff1d(np.arange(len(corpus.label)), corpus.clip[kept]):
        own = np.flatnonzero(sounding & (corpus.clip == number))
        kept[own[corpus.silent[own].argmin()]] = True
    return kept


def one_each(corpus: Corpus) -> npt.NDArray[np.bool_]:
    """bool (m,): of each recording one patch, so that its length says nothing: the loudest of the least silent."""
    kept = least_silent(corpus)
    places = np.flatnonzero(kept)
    order = places[np.lexsort((corpus.below_db[places], corpus.silent[places], corpus.clip[places]))]
    _, first = np.unique(corpus.clip[order], return_index=True)
    out = np.zeros(len(kept), np.bool_)
    out[order[first]] = True
    return out
