"""What the settings ask for, resolved against what the model offers and what the owner's calibration found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.decision.offer import Offer
from edge.decision.rhythm import RHYTHMS
from edge.decision.targets import (
    UNCALIBRATED,
    UNCOMMANDED,
    UNCORRECTED,
    Calibrated,
    Correction,
    LoudnessTarget,
    PatternTarget,
    RhythmTarget,
    Suggestion,
    Target,
    Targets,
    Thresholds,
)
from edge.decision.wishes import has_rhythm, looks_may_decide, what_serves
from edge.errors import SettingsError, nearest
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE

FALLBACK_THRESHOLD = 0.5
"""For a label of a model that suggests no threshold of its own."""
RELEASE_SHARE = 0.5
"""Release threshold as a share of the threshold, where neither settings nor model give one."""


@dataclass(frozen=True, slots=True)
class AskedSound:
    """A sound that is asked for. labels: those of the model that count. suggestion: what the model says of that name.

    sent: False for a sound that is heard only because a pattern counts it. offer: of the look network, where looks
    decide the sound; its labels are then what the model says of that name, and count beside the looks.
    """

    settings: TargetSettings
    labels: tuple[str, ...]
    suggestion: Suggestion | None
    sent: bool
    offer: Offer | None = None

    @property
    def name(self) -> str:
        """The target's name."""
        return self.settings.name

    @property
    def deciding(self) -> tuple[str, ...]:
        """The labels that decide: the model's, or the look network's."""
        return (self.offer.name,) if self.offer else self.labels


@dataclass(frozen=True, slots=True)
class AskedRhythm:
    """An alarm that is asked for by the name of its rhythm (`RHYTHMS`). sent: as of a sound."""

    settings: TargetSettings
    sent: bool

    @property
    def name(self) -> str:
        """The target's name."""
        return self.settings.name


@dataclass(frozen=True, slots=True)
class Asked:
    """What the settings ask of a model, each sound with its labels; thresholds are not known yet."""

    sounds: tuple[AskedSound, ...]
    patterns: tuple[PatternTarget, ...]
    loudness: tuple[LoudnessTarget, ...]
    rhythms: tuple[AskedRhythm, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's labels that are needed, each once, in the order of the sounds."""
        return tuple(dict.fromkeys(label for sound in self.sounds for label in sound.labels))


def ask(wanted: Sequence[TargetSettings], labels: Sequence[str], suggestions: Sequence[Suggestion],
        offers: Sequence[Offer] = ()) -> Asked:
    """What `wanted` asks of a model with these labels and suggestions; where nothing is wanted, its standard targets,
    those of the offers, and the alarms of `RHYTHMS`.

    offers: of the look network. Looks decide a target of that name, but where the settings give labels or call it lasting.

    Raises SettingsError for a label that the model does not have, a target without labels, a pattern over nothing, and
    gaps that contradict each other.
    """
    known = {suggestion.name: suggestion for suggestion in suggestions}
    asked = wanted or tuple(TargetSettings(name=name) for name in dict.fromkeys(
        (*(suggestion.name for suggestion in suggestions if suggestion.standard),
         *(offer.name for offer in offers if offer.standard), *RHYTHMS)))
    named = {target.name: target for target in asked}
    sounds: list[tuple[TargetSettings, bool]] = []
    patterns, loudness = [], []
    for target in asked:
        if target.pattern_of:
            patterns.append(_pattern(target, named))
        elif target.louder_db:
            loudness.append(_loudness(target))
        else:
            sounds.append((target, True))
    for pattern in patterns:
        if pattern.of not in (each.name for each, _ in sounds):  # heard for its sake only
            sounds.append((TargetSettings(name=pattern.of), False))
    by_rhythm = tuple(AskedRhythm(target, sent) for target, sent in sounds if has_rhythm(target, labels))
    offered = {offer.name: offer for offer in offers}
    return Asked(tuple(_asked(target, sent, labels, known.get(target.name), offered.get(target.name))
                       for target, sent in sounds if not has_rhythm(target, labels)),
                 tuple(patterns), tuple(loudness), by_rhythm)


def resolve(asked: Asked, labels: Sequence[str], *, calibrations: Mapping[str, Calibrated] = UNCALIBRATED,
            corrections: Mapping[str, Correction] = UNCORRECTED, thresholds: Mapping[str, float] = UNCOMMANDED) -> Targets:
    """The targets of what is asked, over a model opened with these labels (those that `asked` needs, at least).

    calibrations, corrections: by target; whoever loaded them has seen that they belong to this model's rows. A threshold
    that was commanded (thresholds: by target) goes before that of the settings, which goes before the calibration's, and
    that before the model's own. A release threshold of the settings that lies over a calibration's threshold is brought down
    to it. Raises SettingsError for thresholds of the settings that contradict each other, or the model's own.
    """
    row = {label: number for number, label in enumerate(labels)}
    sounds = tuple(_sound(sound, [row[label] for label in sound.labels], calibrations.get(sound.name),
                          corrections.get(sound.name), thresholds.get(sound.name)) for sound in asked.sounds)
    return Targets(sounds, asked.patterns, asked.loudness,
                   tuple(_rhythm(alarm, thresholds.get(alarm.name)) for alarm in asked.rhythms))


def resolve_targets(wanted: Sequence[TargetSettings], labels: Sequence[str], suggestions: Sequence[Suggestion], *,
                    calibrations: Mapping[str, Calibrated] = UNCALIBRATED,
                    corrections: Mapping[str, Correction] = UNCORRECTED,
                    thresholds: Mapping[str, float] = UNCOMMANDED, offers: Sequence[Offer] = ()) -> Targets:
    """`ask` and `resolve` in one, for a model that is open already. Raises SettingsError as they do."""
    return resolve(ask(wanted, labels, suggestions, offers), labels, calibrations=calibrations, corrections=corrections,
                   thresholds=thresholds)


def _asked(target: TargetSettings, sent: bool, labels: Sequence[str], suggestion: Suggestion | None,
           offer: Offer | None) -> AskedSound:
    if offer is None or not looks_may_decide(target):
        return AskedSound(target, _labels(target, labels, suggestion), suggestion, sent)
    return AskedSound(target, suggestion.labels if suggestion else (), suggestion, sent, offer)


def _labels(target: TargetSettings, labels: Sequence[str], suggestion: Suggestion | None) -> tuple[str, ...]:
    own = target.labels
    if not own and suggestion is not None:
        own = suggestion.labels
    elif not own and target.name in labels:
        own = (target.name,)
    if not own:
        raise SettingsError(f"[[target]] {target.name} labels", found="none, and the model suggests none",
                            wanted=what_serves(target.name, labels))
    for label in own:
        if label not in labels:
            alike = ", ".join(nearest(label, labels, 3))
            raise SettingsError(f"[[target]] {target.name} labels", found=repr(label),
                                wanted=f"labels of the model{f'; nearest: {alike}' * bool(alike)}")
    return own


def _sound(asked: AskedSound, rows: Sequence[int], calibrated: Calibrated | None, correction: Correction | None,
           commanded: float | None) -> Target:
    target, suggestion = asked.settings, asked.suggestion
    same = suggestion if suggestion is not None and set(asked.labels) == set(suggestion.labels) else None
    offer = asked.offer
    fallback, own = (offer.threshold, None) if offer else (FALLBACK_THRESHOLD, same)
    measured: Thresholds | None = calibrated or own
    threshold = target.threshold or (measured.threshold if measured else fallback)
    release = target.release_threshold or (
        measured.release_threshold if measured and not target.threshold else threshold * RELEASE_SHARE)
    if calibrated is not None and not target.threshold:
        release = min(release, threshold)  # `edge.control.calibrations` says so
    elif release > threshold:
        raise SettingsError(f"[[target]] {target.name} release_threshold", found=f"{release}",
                            wanted=f"at most its threshold, {threshold}")
    if commanded is not None:
        threshold, release = commanded, min(target.release_threshold or commanded * RELEASE_SHARE, commanded)
    by_itself = offer or (suggestion and suggestion.impulsive)
    impulsive = target.sound == "impulsive" if target.sound else bool(by_itself)
    if impulsive and (shortest := target.minimum_duration_seconds):
        raise SettingsError(f"[[target]] {target.name} minimum_duration_seconds", wanted='0, or sound = "lasting"',
                            found=f"{shortest} for an impulsive sound, which has no length")
    return Target(
        name=target.name, rows=np.array([offer.row] if offer else rows, np.intp), labels=asked.deciding,
        rise=offer.rise if offer else 0.0, stages=offer.stages if offer else None,
        beside=offer.beside if offer and rows else None,
        added=offer.added if offer else None, taught=offer.standard if offer else False,
        patch_rows=tuple(rows) if offer else (), threshold=threshold, release_threshold=release,
        minimum_duration=_samples(target.minimum_duration_seconds), release=_samples(target.release_seconds),
        refractory=_samples(target.refractory_seconds), impulsive=impulsive,
        yields=same is not None and not same.standard, correction=correction, sent=asked.sent,
        scale=calibrated.scale if calibrated else 1.0, scale_below=calibrated.scale_below if calibrated else None,
        offset=calibrated.offset if calibrated else 0.0)


def _rhythm(asked: AskedRhythm, commanded: float | None) -> RhythmTarget:
    target = asked.settings
    for key in ("release_threshold", "minimum_duration_seconds", "sound"):
        if value := getattr(target, key):
            raise SettingsError(f"[[target]] {target.name} {key}", found=f"{value} for an alarm that is heard by its rhythm",
                                wanted="none, or labels of the model, which then decide")
    rhythm = RHYTHMS[target.name]
    release = max(_samples(target.release_seconds), rhythm.release)
    return RhythmTarget(target.name, rhythm, commanded or target.threshold or FALLBACK_THRESHOLD, release,
                        _samples(target.refractory_seconds), asked.sent)


def _pattern(target: TargetSettings, named: Mapping[str, TargetSettings]) -> PatternTarget:
    thing = f"[[target]] {target.name}"
    if target.labels or target.louder_db:
        raise SettingsError(f"{thing} pattern_of", found="labels or louder_db beside it",
                            wanted="a pattern, a loudness target, or labels")
    of = named.get(target.pattern_of)
    if target.pattern_of == target.name or (of is not None and (of.pattern_of or of.louder_db)):
        raise SettingsError(f"{thing} pattern_of", found=repr(target.pattern_of), wanted="a target that is a sound")
    if target.minimum_gap_seconds > target.maximum_gap_seconds:
        raise SettingsError(f"{thing} minimum_gap_seconds", found=f"{target.minimum_gap_seconds}",
                            wanted=f"at most maximum_gap_seconds, {target.maximum_gap_seconds}")
    return PatternTarget(
        target.name, target.pattern_of, target.count, _samples(target.minimum_gap_seconds),
        _samples(target.maximum_gap_seconds), _samples(target.quiet_before_seconds),
        _samples(target.quiet_after_seconds), target.suppress)


def _loudness(target: TargetSettings) -> LoudnessTarget:
    if target.labels:
        raise SettingsError(f"[[target]] {target.name} louder_db", found="labels beside it", wanted="one of the two")
    return LoudnessTarget(target.name, target.louder_db, _samples(target.minimum_duration_seconds),
                          _samples(target.release_seconds), _samples(target.refractory_seconds))


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
