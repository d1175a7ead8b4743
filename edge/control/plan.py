"""What is heard, and with what: model, targets and their decision, made together and changed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.decision.decision import Decision
from edge.decision.impulsive import WAIT
from edge.decision.lookout import LookShape
from edge.decision.resolve import Asked, ask, resolve
from edge.decision.rhythm import LONGEST
from edge.decision.targets import UNCALIBRATED, UNCOMMANDED, UNCORRECTED, Calibrated, Correction, Target, Targets
from edge.features.frontend import hop_frames
from edge.features.look import AFTER, EARLY, HISTORY
from edge.model.classifier import Model
from edge.model.impulse import LookSeries
from edge.settings import TargetSettings
from edge.stream import FRAME_STEP, SAMPLE_RATE

SOUND_SECONDS, LATEST_SECONDS = 12.0, 600.0
"""Seconds of sound remembered where every end is told at once; and at most beside that (19 MB)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to hear. Made in any thread, then the listener's alone: model and decision belong to one thread."""

    model: Model
    targets: Targets
    decision: Decision
    hop_seconds: float

    @property
    def level_samples(self) -> int:
        """How long levels must be remembered for an event's start to have one, in samples (16 kHz)."""
        longest = max([0, *(target.minimum_duration for target in self.targets.sounds),
                       *(LONGEST for _ in self.targets.rhythms)]) + sum(
            pattern.count * pattern.maximum_gap + pattern.quiet_after for pattern in self.targets.patterns)
        return max(self.model.patch_samples, WAIT) + longest + 2 * SAMPLE_RATE

    @property
    def sound_seconds(self) -> float:
        """How much of the newest sound to remember, so that an event's is still known when its end is told.

        An end is told when a pause has lasted for the target's release; a pattern may hold events back.
        """
        targets = self.targets
        late = max([0, *(sound.release for sound in targets.sounds), *(loud.release for loud in targets.loudness),
                    *(alarm.release for alarm in targets.rhythms)])
        held = max([0, *(each.count * each.maximum_gap + each.quiet_after for each in targets.patterns)])
        return SOUND_SECONDS + min((late + held) / SAMPLE_RATE, LATEST_SECONDS)


def plan_for(model: Model, targets: Sequence[TargetSettings] | Asked = (), *, hop_seconds: float = 0.24,
             calibrations: Mapping[str, Calibrated] = UNCALIBRATED, corrections: Mapping[str, Correction] = UNCORRECTED,
             thresholds: Mapping[str, float] = UNCOMMANDED, more: Sequence[Target] = ()) -> Plan:
    """A plan for a model that is open; hop_seconds: a multiple of 0.01.

    targets: none means the model's own standard ones; an `Asked` was resolved before the model was opened.
    calibrations, corrections, thresholds (commanded ones): by target. more: sounds to hear in the place of those of their
    names, or beside. Raises SettingsError for a target that the model cannot serve, or a hop that is no multiple of a frame.
    """
    asked = targets if isinstance(targets, Asked) else ask(targets, model.labels, model.targets, model.offers)
    hop_samples = hop_frames(hop_seconds, model.wants, model.patch_samples) * FRAME_STEP
    resolved = resolve(asked, model.labels, calibrations=calibrations, corrections=corrections, thresholds=thresholds)
    if more:
        resolved = replace(resolved, sounds=tuple(({sound.name: sound for sound in resolved.sounds}
                                                   | {sound.name: sound for sound in more}).values()))
    decision = Decision(resolved, model.labels, patch_samples=model.patch_samples, hop_samples=hop_samples,
                        shape=LookShape(EARLY, AFTER, HISTORY), look_labels=model.looks.labels if model.looks else (),
                        series=_series(model, resolved))
    return Plan(model, resolved, decision, hop_seconds)


def _series(model: Model, targets: Targets) -> list[LookSeries]:
    """Series of targets with the labels that the model suggests, calibrated as where the series was fitted. What any other
    calibration found was found of patches alone."""
    suggested = {one.name: set(one.labels) for one in model.targets}
    asked = {one.name: one for one in targets.sounds if not one.looked
             and {model.labels[row] for row in one.rows.tolist()} == suggested.get(one.name)}
    return [one for one in model.series if one.target in asked
            and asked[one.target].calibrated_as(one.calibrated.scale, one.calibrated.offset)]
