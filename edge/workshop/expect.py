"""What to expect of each target at every threshold that an owner may set. Opens the model, and no device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.control.commanded import load_commanded
from edge.control.loading import find_model
from edge.decision.resolve import resolve
from edge.decision.targets import Target
from edge.learn.calibrate import VARIED_HOURS
from edge.learn.expect import Outlook, lesson_outlooks, outlooks
from edge.model.calibration import Positives, TargetCalibration
from edge.model.taught import Taught, TaughtSound
from edge.model.taught_look import TaughtLook
from edge.workshop.session import Session

STEPS = tuple(step / 100 for step in range(1, 101))
"""The page's slider has these."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """A target with what is known of it. threshold: that serves. entry: the calibration that the figures come from. lesson:
    what was taught of it, where no calibration serves. corrected: feedback has changed the target since.

    outlooks: at each of STEPS, at the threshold that serves, and at that of the calibration or lesson; at the lesson's
    alone where the lesson kept nothing else. Empty where nothing is known.
    """

    target: str
    threshold: float
    entry: TargetCalibration | None
    lesson: TaughtSound | TaughtLook | None
    corrected: bool
    outlooks: tuple[Outlook, ...]

    @property
    def made(self) -> str:
        """Where the figures come from: as a calibration says it, or "taught", or "" for nowhere."""
        return self.entry.made if self.entry is not None else "taught" if self.outlooks else ""


def prospects(session: Session) -> list[Prospect]:
    """Of each target of the session."""
    served, model, settings = session.served, session.model, session.settings
    commanded = load_commanded(session.state_dir, settings.commandable).of(model.manifest.name)
    serving = resolve(session.asked, model.labels, calibrations=served.serving, corrections=served.corrections,
                      thresholds=commanded).sounds
    taught = find_model(settings.model.name, session.state_dir).taught
    return [_prospect(target, served.entries.get(target.name), _lesson(target, served.taught, taught),
                      corrected=target.name in served.corrections) for target in serving]


def _lesson(target: Target, sounds: Mapping[str, TaughtSound], taught: Taught | None) -> TaughtSound | TaughtLook | None:
    """What was taught of a target as it is heard. sounds: those that patches decide."""
    if target.looked:
        return taught.look(target.name) if taught is not None else None
    return sounds.get(target.name)


def _prospect(target: Target, entry: TargetCalibration | None, lesson: TaughtSound | TaughtLook | None, *,
              corrected: bool) -> Prospect:
    found: list[Outlook] = []
    if isinstance(lesson, TaughtLook) and lesson.adds:
        if entry is None:
            return Prospect(target.name, target.threshold, None, lesson, corrected, ())
        lesson = None
    if entry is not None:
        if entry.positives is None and lesson is not None:
            entry = replace(entry, positives=_recordings(lesson))
        lesson, found = None, outlooks(entry, _thresholds(target.threshold, entry.threshold))
    elif lesson is not None:
        found = lesson_outlooks(lesson.threshold, lesson.foreseen, VARIED_HOURS,
                                _thresholds(target.threshold, lesson.threshold))
    return Prospect(target.name, target.threshold, entry, lesson, corrected, tuple(found))


def _recordings(lesson: TaughtSound | TaughtLook) -> Positives | None:
    """A lesson's recordings, as a calibration of the sound would hear them; None where the lesson kept none."""
    tally = lesson.foreseen.tally
    if tally is None or not tally.recordings:
        return None
    scale, offset = (1.0, 0.0) if isinstance(lesson, TaughtLook) else (lesson.scale, lesson.offset)
    return Positives(tuple((logit - offset) / scale for logit in tally.recordings), len(tally.recordings))


def _thresholds(*others: float) -> Sequence[float]:
    """STEPS and the others, ascending; one that is a step to four digits stands in its place."""
    return sorted(({round(step, 4): step for step in STEPS} | {round(other, 4): other for other in others}).values())
