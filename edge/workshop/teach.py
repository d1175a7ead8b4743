"""Teach a model a sound: take recordings, embed them, and fit them beside what was taught by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from edge.control.loading import load_model
from edge.decision.targets import Target
from edge.errors import SettingsError
from edge.learn.bank import load_bank
from edge.learn.embedding import Embedder
from edge.learn.lesson import HEARD
from edge.learn.probability import Curve
from edge.learn.teach import Gathered, Recording, check_like, gather, learn, negatives_for, refusal
from edge.model.classifier import Split
from edge.model.taught import TaughtSound
from edge.settings import Settings, TargetSettings
from edge.workshop.lessons import Lessons, as_served, check_name
from edge.workshop.progress import bar


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the owner asks to have taught. impulsive: None to have it measured. like: classes of the bank that
    are the sound too. alarms_per_hour: false alarms allowed in an hour of varied sound. force: keep a sound
    that cannot be told apart."""

    name: str
    impulsive: bool | None = None
    like: Sequence[str] = ()
    alarms_per_hour: float = 2.0
    force: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it came out. hears: targets that hear the sound already. refused: why it cannot be told apart, or
    empty. kept: the sound is among the model's lessons now."""

    sound: TaughtSound
    hears: Sequence[str]
    refused: str
    kept: bool


def teach(lessons: Lessons, settings: Settings, wanted: Wanted, recordings: Callable[[], Sequence[Recording]], *,
          keep: bool = True) -> Outcome:
    """Take the recordings, fit the sound, and keep it where it can be told apart or the owner insists.

    recordings: called once what is wanted has been checked; nothing is locked while a person makes sounds.
    The lessons are locked from reading them again to keeping the sound. keep: False for a trial that changes
    and locks nothing. Raises SettingsError, ModelError, and what `recordings` raises.
    """
    check_name(wanted.name, lessons.manifest)
    if not 0.0 < wanted.alarms_per_hour <= 1000.0:
        raise SettingsError("--alarms-per-hour", found=str(wanted.alarms_per_hour), wanted="over 0, at most 1000")
    check_like(load_bank(lessons.folder, lessons.manifest), wanted.like)
    embedder = Embedder(load_model(settings.model.name, state_dir=lessons.state_dir, runtime=settings.model.runtime))
    taken = recordings()
    with bar("teach", "recordings") as progress:
        gathered = gather(embedder, taken, progress)
    if not keep:
        return _fitted(lessons, settings, wanted, gathered)
    with lessons.changing():
        outcome = _fitted(lessons, settings, wanted, gathered)
        if outcome.refused and not wanted.force:
            return outcome
        verb = "taught" if lessons.taught.sound(wanted.name) is None else "taught again"
        lessons.save(lessons.taught.with_sound(outcome.sound, f"{verb} {wanted.name}"))
    return replace(outcome, kept=True)


def _fitted(lessons: Lessons, settings: Settings, wanted: Wanted, gathered: Gathered) -> Outcome:
    model, sounds = as_served(replace(settings, target=_known_targets(lessons, settings)), lessons.state_dir)
    embedder = Embedder(model)
    negatives = negatives_for(embedder, lessons.folder, lessons.manifest, lessons.state_dir, lessons.taught,
                              name=wanted.name, like=wanted.like)
    sound, lesson = learn(
        embedder, wanted.name, gathered, negatives, alarms_per_hour=wanted.alarms_per_hour,
        impulsive=gathered.impulsive if wanted.impulsive is None else wanted.impulsive,
        taught_at=datetime.now(UTC).isoformat(timespec="seconds"), like=wanted.like, forced=wanted.force)
    found = hears(model, [one for one in sounds if one.name != wanted.name], embedder, gathered)
    return Outcome(sound, found, refusal(lesson, found), kept=False)


def _known_targets(lessons: Lessons, settings: Settings) -> tuple[TargetSettings, ...]:
    """The settings' sounds as far as the model has their labels (the one to be taught may be named already),
    and all the model's own targets beside them."""
    manifest = lessons.taught.extend(lessons.manifest)
    known = {target.name: TargetSettings(name=target.name) for target in manifest.targets}
    for target in settings.target:
        labels = target.labels or (() if target.name in known else (target.name,))
        if not target.pattern_of and not target.louder_db and set(labels) <= set(manifest.labels):
            known[target.name] = target
    return tuple(known.values())


def hears(model: Split, targets: Sequence[Target], embedder: Embedder, gathered: Gathered) -> list[str]:
    """Those of the targets that patches decide, as they serve, that hear at least half of the recordings."""
    heard = gathered.kind == HEARD
    embeddings, clips = embedder.embeddings(gathered.cells[heard]), gathered.clip[heard]
    logits = embeddings @ model.head.weights.T + model.head.bias
    found = []
    for target in (each for each in targets if not each.looked):
        highest = logits[:, target.rows].max(axis=1).astype(np.float64)
        if target.correction is not None:
            highest += [target.correction.logit(embedding) for embedding in embeddings]
        over = np.unique(clips[Curve.of(target).probabilities(highest) >= target.threshold])
        if 2 * len(over) >= len(np.unique(clips)):
            found.append(target.name)
    return found
