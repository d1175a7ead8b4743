"""How ESC-10's classes are learnt and named: the options, the fit, clip scores, and a choice made on training folds only."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from esc10_material import PATCH, Corpus, Floats, Numbers

from edge.learn.examples import UNDER_PEAK_DB
from edge.learn.lesson import ALTERED, FORMS, HEARD, PLACED
from edge.learn.regression import fit_rows

MATERIALS: dict[str, tuple[int, ...]] = {
    "patches": (PATCH,),
    "stretches": (HEARD, PLACED),
    "altered": (HEARD, PLACED, ALTERED),
}
"""What rows are fitted to: patches that sound, what `teach` finds in a recording, and that altered as well."""
COUNTED = ("all", "sounding", "heard")
"""Which of a recording's embeddings name it: all patches, those that sound, or the stretches that `teach` measures with."""
POOLINGS = ("mean", "max", "log-mean-exp", "log-probability")
"""How they do: mean, highest or log-mean-exp of the logits; or the mean of the logits' log softmax over the classes."""
RIDGES = (0.04, 0.1, 0.4, 1.0)
NARROWEST = (0.1, 1.0)
"""Feature normalisation: see fit_rows."""
RECORDING_WEIGHT = 10.0
"""What a recording weighs, however much was made of it: it has about ten patches at `teach`'s ordinary weight of 1."""
TEMPERATURES = 2.0 ** np.arange(-4.0, 4.5, 0.5)


@dataclass(frozen=True)
class Form:
    """How rows are fitted: material, ridge for each value of an embedding, `narrowest` of fit_rows."""

    material: str
    ridge: float
    narrowest: float


@dataclass(frozen=True)
class Option:
    """A form, and how a recording is named."""

    form: Form
    counted: str
    pooling: str

    def __str__(self) -> str:
        form = self.form
        return f"{form.material}, ridge {form.ridge}, narrowest {form.narrowest}; {self.counted}, {self.pooling}"


def grid(
    materials: Iterable[str] = tuple(MATERIALS),
    shapes: Iterable[tuple[float, float]] = tuple(itertools.product(RIDGES, NARROWEST)),
) -> list[Option]:
    """Every option, `teach`'s own ridge and narrowest among them."""
    forms = [Form(material, *shape) for material, shape in itertools.product(materials, shapes)]
    return [Option(*each) for each in itertools.product(forms, COUNTED, POOLINGS)]


SMALL_GRID = tuple(grid(("patches",), FORMS))
"""For audits that fit over and over: `teach`'s two forms, on patches."""


@dataclass(frozen=True)
class Rows:
    """A row for each class: float32 (classes, e) and (classes,)."""

    weights: Floats
    bias: Floats


def fit(corpus: Corpus, form: Form) -> Rows:
    """Each class against the others, by `teach`'s regression, on all recordings of the corpus."""
    used = np.isin(corpus.kind, MATERIALS[form.material])
    if form.material == "patches":
        used &= corpus.below_db <= UNDER_PEAK_DB
    clip = corpus.clip[used]
    share = RECORDING_WEIGHT / np.bincount(clip, minlength=len(corpus.label))
    wanted = (corpus.label[clip][:, None] == np.arange(len(corpus.names))).astype(np.float32)
    weights = np.repeat(share[clip][:, None], len(corpus.names), axis=1).astype(np.float32)
    embeddings = corpus.embeddings(used)
    return Rows(*fit_rows(embeddings, wanted, weights, ridge=form.ridge * embeddings.shape[1], narrowest=form.narrowest))


def counted(corpus: Corpus, which: str) -> npt.NDArray[np.bool_]:
    """bool (m,): the embeddings that name their recording; every recording has one."""
    if which == "heard":
        return corpus.kind == HEARD
    patch = corpus.kind == PATCH
    return patch & (corpus.below_db <= UNDER_PEAK_DB) if which == "sounding" else patch


def clip_scores(logits: Floats, clip: Numbers, clips: int, pooling: str) -> npt.NDArray[np.float64]:
    """float64 (clips, classes) of logits float32 (k, classes), clip (k,) the number of each one's recording."""
    values = logits.astype(np.float64)
    if pooling == "log-probability":
        values = log_softmax(values)
    out = np.empty((clips, values.shape[1]))
    for number in range(clips):
        own = values[clip == number]
        if not len(own):
            raise ValueError(f"recording {number}: nothing to name it by")
        if pooling == "max":
            out[number] = own.max(axis=0)
        elif pooling == "log-mean-exp":
            top = own.max(axis=0)
            out[number] = top + np.log(np.exp(own - top).mean(axis=0))
        else:
            out[number] = own.mean(axis=0)
    return out


def log_softmax(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each line of float64 (n, classes)."""
    shifted: npt.NDArray[np.float64] = values - values.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def scores(corpus: Corpus, rows: Rows, options: Sequence[Option]) -> dict[Option, npt.NDArray[np.float64]]:
    """float64 (n, classes) of every recording of the corpus, by each option; their form must be that of the rows."""
    logits = {
        which: corpus.embeddings(counted(corpus, which)) @ rows.weights.T + rows.bias
        for which in {option.counted for option in options}
    }
    return {
        option: clip_scores(
            logits[option.counted], corpus.clip[counted(corpus, option.counted)], len(corpus.label), option.pooling
        )
        for option in options
    }


def cross_entropy(found: npt.NDArray[np.float64], label: Numbers) -> float:
    """Mean of -log softmax at the recording's class, at whichever of TEMPERATURES makes it least: scales do not count."""
    return min(float(-log_softmax(found * times)[np.arange(len(label)), label].mean()) for times in TEMPERATURES)


@dataclass(frozen=True)
class Chosen:
    """An option, and what it did on the recordings that chose it: cross entropy, and the share named right."""

    option: Option
    loss: float
    inner: float


def choose(training: Corpus, options: Sequence[Option]) -> Chosen:
    """The option of the least cross entropy on the corpus, each of its folds scored by rows of its other folds.

    A count of some 300 recordings is coarse, and many options tie in it: so the cross entropy decides, not the count.
    """
    found = held_out_scores(training, options)
    truth = training.label
    best = min(options, key=lambda option: cross_entropy(found[option], truth))
    return Chosen(best, cross_entropy(found[best], truth), float((found[best].argmax(axis=1) == truth).mean()))


def held_out_scores(corpus: Corpus, options: Sequence[Option]) -> dict[Option, npt.NDArray[np.float64]]:
    """float64 (n, classes) by each option, each recording scored by rows of the folds that it is not in."""
    folds = sorted({int(fold) for fold in corpus.fold})
    out = {option: np.empty((len(corpus.label), len(corpus.names))) for option in options}
    for fold in folds:
        others, own = corpus.only([other for other in folds if other != fold]), corpus.only([fold])
        for form in dict.fromkeys(option.form for option in options):
            mine = [option for option in options if option.form == form]
            for option, found in scores(own, fit(others, form), mine).items():
                out[option][corpus.fold == fold] = found
    return out


@dataclass(frozen=True)
class Outcome:
    """One outer fold: what was chosen without it, and its scores float64 (n, classes) by rows that never saw it."""

    fold: int
    chosen: Chosen
    scores: npt.NDArray[np.float64]


def nested(corpus: Corpus, options: Sequence[Option], fold: int) -> Outcome:
    """Choose on the other folds, fit on the other folds, and only then score the recordings of `fold`."""
    training = corpus.only([other for other in sorted({int(each) for each in corpus.fold}) if other != fold])
    chosen = choose(training, options)
    own = corpus.only([fold])
    found = scores(own, fit(training, chosen.option.form), [chosen.option])[chosen.option]
    return Outcome(fold, chosen, found)
