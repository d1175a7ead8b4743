"""The onsets of recordings in, a sound that looks decide out: what `edge-audio teach` fits for sounds without length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge.decision.calibration import logit_of
from edge.learn.alike import groups
from edge.learn.lesson import HEARD
from edge.learn.look_bank import LookBank
from edge.learn.look_examples import Onsets
from edge.learn.look_lesson import LookExamples, LookLesson, LookNegatives, learn_look
from edge.learn.teach import MISTAKEN, MISTAKEN_WEIGHTS, foreseen_by
from edge.model.look_offer import LookOffer, Stage
from edge.model.manifest import TensorSpec
from edge.model.taught import Judgement
from edge.model.taught_look import TaughtLook

SECOND = 1
ALIKE = 0.5
"""Cosine of second looks from which two recordings are of one group: of two sounds of one source it is 0.60 at the median,
of two sources 0.29 (claps; models/README.md)."""


def look_negatives(bank: LookBank, taught: Sequence[TaughtLook], spec: TensorSpec, *, name: str, adds: bool,
                   like: Iterable[str] = ()) -> LookNegatives:
    """What a sound is taught against: the bank without the classes in `like`, and the other sounds that looks were taught.

    adds: to the network's own target of that name; then the bank's sounds of that label are no negatives. What adds to a
    target is no negative of a sound of one's own, nor the other way round: both may be the same claps. spec: of an
    embedding.
    """
    kept = ~np.isin(bank.names, list(like)) & ~((bank.labels == name) & adds)
    others = [look for look in taught if look.name != name and look.adds == adds]
    mine = [spec.to_real(look.cells) for look in others]
    titles = np.array([f"{look.name} (taught)" for look in others for _ in look.cells], np.str_)
    none = np.zeros(len(titles), np.float32)
    return LookNegatives(
        np.concatenate((bank.embeddings[kept], *mine)), np.concatenate((bank.names[kept], titles)),
        np.concatenate((bank.sources[kept], titles)), np.concatenate((bank.onsets[kept], none)),
        np.concatenate((bank.lone[kept], none == 0.0)), np.ones(int(kept.sum()) + len(titles), np.float32), bank.hours)


def learn_from_onsets(name: str, onsets: Onsets, negatives: LookNegatives, spec: TensorSpec, *, own: LookOffer | None,
                      network: str, look_version: int, alarms_per_hour: float, taught_at: str, like: Sequence[str] = (),
                      forced: bool = False) -> tuple[TaughtLook, LookLesson]:
    """The sound as it will be kept, and how it came out. own: the network's target that the sound adds to; None: it is a
    target of its own. Raises ValueError where no recording has an onset."""
    embeddings, clip = spec.to_real(onsets.cells), onsets.clip.astype(np.intp)
    heard = onsets.kind == HEARD
    groups_of = _groups(embeddings[heard], clip[heard], onsets.clips, negatives)
    lesson = learn_look(LookExamples(embeddings, clip, onsets.kind.astype(np.intp), groups_of), negatives,
                        alarms_per_hour=alarms_per_hour)
    threshold, shift = lesson.threshold, 0.0
    if own is not None:  # one threshold serves both: the added probability comes over it where the lesson's own would
        threshold, shift = own.threshold, logit_of(own.threshold) - logit_of(lesson.threshold)
    first, second = (Stage(scale, offset + shift) for scale, offset in lesson.stages)
    look = TaughtLook(
        name=name, adds=own is not None, row=lesson.row, bias=lesson.bias, first=first, second=second, threshold=threshold,
        cells=onsets.cells, clip=onsets.clip, kind=onsets.kind, network=network, look_version=look_version,
        budget_per_hour=alarms_per_hour, foreseen=foreseen_by(lesson), taught_at=taught_at, like=tuple(like), forced=forced)
    return look, lesson


def learn_again(look: TaughtLook, negatives: LookNegatives, spec: TensorSpec, judgements: Sequence[Judgement]
                ) -> tuple[TaughtLook, LookLesson]:
    """The sound fitted again by what was said of its events: right ones are further recordings, wrong ones negatives that
    weigh more until they are not heard. look: a target of its own. What it was taught from stays what is kept."""
    first = int(look.clip.max(initial=0)) + 1
    right = [one for one in judgements if one.right][first - 256 or None:]  # `clip` counts to 255; the newest stay
    wrong = [one for one in judgements if not one.right]
    clip = np.concatenate((look.clip, np.arange(first, first + len(right)).astype(np.uint8)))
    kind = np.concatenate((look.kind, np.full(len(right), HEARD, np.uint8)))
    onsets = Onsets(np.concatenate((look.cells, *(pair_of(one)[None] for one in right))), clip, kind, first + len(right))
    hard = spec.to_real(np.stack([pair_of(one) for one in wrong])) if wrong else None
    for weight in MISTAKEN_WEIGHTS if wrong else (0.0,):
        against = negatives if hard is None else negatives.with_hard(hard, MISTAKEN, weight)
        found, lesson = learn_from_onsets(
            look.name, onsets, against, spec, own=None, network=look.network, look_version=look.look_version,
            alarms_per_hour=look.budget_per_hour, taught_at=look.taught_at, like=look.like, forced=look.forced)
        if not any(heard(found, one, spec) for one in wrong):
            break
    return replace(found, cells=look.cells, clip=look.clip, kind=look.kind), lesson


def pair_of(one: Judgement) -> NDArray[np.int8]:
    """Cells int8 `(2, E)` of an event's looks; of one look alone it twice. Which look is the first does not matter: the row
    is fitted to both alike."""
    return np.stack((one.cells, one.beside[0] if one.beside else one.cells))


def heard(look: TaughtLook, one: Judgement, spec: TensorSpec) -> bool:
    """Whether the sound hears one of an event's looks, at either stage."""
    logits = spec.to_real(np.stack((one.cells, *one.beside))) @ look.row + look.bias
    highest = max(float(stage.scale * logits.max() + stage.offset) for stage in (look.first, look.second))
    return highest >= logit_of(look.threshold)


def _groups(embeddings: NDArray[np.float32], clip: NDArray[np.intp], clips: int,
            negatives: LookNegatives) -> NDArray[np.intp]:
    """int `(clips,)`: recordings of one number sound alike, by their second looks; one without an onset is alone."""
    found = np.arange(clips, dtype=np.intp)
    heard, number = np.unique(clip, return_inverse=True)
    found[heard] = clips + groups(embeddings[:, SECOND], number, negatives.embeddings[:, SECOND], ALIKE)
    return np.unique(found, return_inverse=True)[1].astype(np.intp)
