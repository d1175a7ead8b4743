"""Teach a model a sound: take recordings, embed them, and fit them beside what was taught by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from edge.control.loading import find_model, load_model
from edge.decision.targets import Target
from edge.errors import SettingsError
from edge.learn.bank import load_bank
from edge.learn.embedding import Embedder
from edge.learn.lesson import HEARD
from edge.learn.look_examples import Onsets
from edge.learn.probability import Curve
from edge.learn.teach import Gathered, Recording, check_like, gather, learn, negatives_for, refusal
from edge.model.classifier import Split
from edge.model.foreseen import Foreseen
from edge.model.taught import TaughtSound
from edge.model.taught_look import TaughtLook
from edge.settings import Settings, TargetSettings
from edge.workshop.lessons import Lessons, as_served, check_name
from edge.workshop.progress import bar
from edge.workshop.teach_looks import LookSchool, look_school


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
    empty. kept: the sound is among the model's lessons now.

    other: what was foreseen of the way that was not taken, where both were tried. own: recordings that the look network's
    own target of that name hears without the sound, which adds to it; None for a sound of its own.
    """

    sound: TaughtSound | TaughtLook
    hears: Sequence[str]
    refused: str
    kept: bool
    other: Foreseen | None = None
    own: int | None = None


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was made of the recordings. onsets: None where no look network is here."""

    patches: Gathered
    onsets: Onsets | None


class Prepared:
    """A sound whose recordings were taken: how it comes out, and the step that keeps it. Nothing is locked meanwhile."""

    def __init__(self, lessons: Lessons, settings: Settings, wanted: Wanted, taken: _Taken) -> None:
        self._lessons, self._settings, self._wanted, self._taken = lessons, settings, wanted, taken
        self._kept: Outcome | None = None

    def outcome(self) -> Outcome:
        """The sound fitted beside what is taught now; changes and locks nothing. Raises SettingsError, ModelError."""
        return _fitted(self._lessons, self._settings, self._wanted, self._taken)

    def keep(self, *, force: bool = False) -> Outcome:
        """Fit the sound beside what was taught by then, and keep it, once, where it can be told apart or the owner insists.

        The lessons are locked from reading them again to keeping the sound. Raises SettingsError, ModelError.
        """
        if self._kept is not None:
            return self._kept
        lessons, wanted = self._lessons, replace(self._wanted, force=force or self._wanted.force)
        with lessons.changing():
            outcome = _fitted(lessons, self._settings, wanted, self._taken)
            if outcome.refused and not wanted.force:
                return outcome
            known = wanted.name in lessons.taught.names
            lessons.save(lessons.taught.with_sound(outcome.sound, f"{'taught again' if known else 'taught'} {wanted.name}"))
        self._kept = replace(outcome, kept=True)
        return self._kept


def prepare(lessons: Lessons, settings: Settings, wanted: Wanted, recordings: Callable[[], Sequence[Recording]]) -> Prepared:
    """Take the recordings of a sound.

    recordings: called once what is wanted has been checked; nothing is locked while a person makes sounds.
    Raises SettingsError, ModelError, and what `recordings` raises.
    """
    if not 0.0 < wanted.alarms_per_hour <= 1000.0:
        raise SettingsError("--alarms-per-hour", found=str(wanted.alarms_per_hour), wanted="over 0, at most 1000")
    model = load_model(settings.model.name, state_dir=lessons.state_dir, runtime=settings.model.runtime)
    school = look_school(lessons, model)
    check_name(wanted.name, lessons.manifest, school.targets if school is not None else ())
    check_like(load_bank(lessons.folder, lessons.manifest), wanted.like)
    embedder = Embedder(model)
    recorded = recordings()
    with bar("teach", "recordings") as progress:
        patches = gather(embedder, recorded, progress)
    taken = _Taken(patches, school.onsets(recorded) if school is not None else None)
    return Prepared(lessons, settings, wanted, taken)


def _fitted(lessons: Lessons, settings: Settings, wanted: Wanted, taken: _Taken) -> Outcome:
    model, sounds = as_served(replace(settings, target=_known_targets(lessons, settings, wanted.name)), lessons.state_dir)
    school = look_school(lessons, model)
    impulsive = taken.patches.impulsive if wanted.impulsive is None else wanted.impulsive
    by_looks = None
    if school is not None and taken.onsets is not None and impulsive:
        by_looks = school.learn(lessons, wanted.name, taken.onsets, alarms_per_hour=wanted.alarms_per_hour,
                                taught_at=_now(), like=wanted.like, forced=wanted.force)
    found = _hears(model, school, [one for one in sounds if one.name != wanted.name], taken)
    if by_looks is not None and by_looks[0].adds:
        assert school is not None and taken.onsets is not None  # they made it
        own = [school.heard(one, taken.onsets) for one in sounds if one.name == wanted.name and one.looked]
        return Outcome(by_looks[0], found, refusal(by_looks[1], found), kept=False, own=own[0] if own else 0)
    if by_looks is None and school is not None and wanted.name in school.targets:
        raise SettingsError("recordings", found="a sound that lasts",
                            wanted=f"short ones, as {wanted.name} is without length (--sound impulsive takes them for such)")
    check_name(wanted.name, lessons.manifest)
    embedder = Embedder(model)
    negatives = negatives_for(embedder, lessons.folder, lessons.manifest, lessons.state_dir, lessons.taught,
                              name=wanted.name, like=wanted.like)
    sound, lesson = learn(embedder, wanted.name, taken.patches, negatives, alarms_per_hour=wanted.alarms_per_hour,
                          impulsive=impulsive, taught_at=_now(), like=wanted.like, forced=wanted.force)
    if by_looks is None:
        return Outcome(sound, found, refusal(lesson, found), kept=False)
    look, looked = by_looks
    # Patches hear as much of clear recordings, and nothing over a room's noise: they are for what looks cannot tell apart.
    if refusal(looked) and not refusal(lesson):
        return Outcome(sound, found, "", kept=False, other=look.foreseen)
    return Outcome(look, found, refusal(looked, found), kept=False, other=sound.foreseen)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _hears(model: Split, school: LookSchool | None, sounds: Sequence[Target], taken: _Taken) -> list[str]:
    """Those of the targets, as they serve, that hear at least half of the recordings."""
    found = hears(model, sounds, Embedder(model), taken.patches)
    if school is not None and taken.onsets is not None:
        onsets = taken.onsets
        found += [one.name for one in sounds if one.looked and 2 * school.heard(one, onsets) >= onsets.clips]
    return found


def _known_targets(lessons: Lessons, settings: Settings, name: str) -> tuple[TargetSettings, ...]:
    """The settings' sounds as far as the model has their labels (the one to be taught may be named already),
    and all the model's own targets, and those that looks decide, beside them. name: of the one to be taught."""
    manifest, named = lessons.taught.extend(lessons.manifest), find_model(lessons.name, lessons.state_dir)
    looked = [offer.name for offer in named.offers if offer.standard or offer.name == name]
    known = {one: TargetSettings(name=one) for one in (*(target.name for target in manifest.targets), *looked)}
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
