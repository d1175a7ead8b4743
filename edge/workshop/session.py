"""One calibration of one model: its targets, what is known of them, what serves them now, and where the
result goes.

Hearing a room takes minutes to days, and nobody is kept waiting meanwhile. What was heard is then set against
the calibrations as they are by then: reading them, setting thresholds and writing happen under one lock.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from edge.control.calibrations import Calibrations
from edge.control.loading import find_model
from edge.decision.calibration import logit_of
from edge.decision.resolve import Asked, resolve
from edge.decision.targets import Target
from edge.decision.wishes import has_rhythm
from edge.errors import ModelError, SettingsError
from edge.learn.calibrate import Basis, Budget
from edge.learn.figures import poisson_upper
from edge.learn.labelled import Worth
from edge.model.calibration import Calibration, TargetCalibration, row_sha256
from edge.model.calibration_file import changing_calibrations, load_calibration, own_path, save_calibration
from edge.model.classifier import Model
from edge.model.placing import set_aside
from edge.settings import Settings, TargetSettings

log = logging.getLogger("edge")

WEEK_HOURS = 168.0
"""The longest that --minutes lets a room be heard."""

DEAF = 0.99
"""A target is as good as deaf from this share of misses on; where misses are not known, from this threshold on."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was found for a target. before: what served until then. worth: where labelled recordings were
    heard. highest: of the room, logit and where.

    strict: what the room's budget would have taken whatever it costs; alone: what labelled sound takes
    without the room.
    """

    target: str
    entry: TargetCalibration
    before: TargetCalibration | None
    worth: Worth | None = None
    highest: tuple[float, str] | None = None
    strict: TargetCalibration | None = None
    alone: TargetCalibration | None = None

    def listening(self, budget: Budget) -> list[str]:
        """How long the room must be heard to be certain of the budget; empty where nothing is to be said."""
        room, none = self.entry.room, poisson_upper(0)
        needed = none * 24.0 / budget.per_day
        if self.worth is not None or room is None or room.hours >= needed \
                or self.entry.expected.alarms_upper <= budget.per_day:
            return []
        way = f"--minutes {math.ceil(needed * 60)}"
        if needed > WEEK_HOURS:
            way = f"the most that can be heard is a week, --minutes 10080, for {none * 24.0 / WEEK_HOURS:.2g} a day"
        return [(f"{length_in_words(room.hours)} of this room cannot say more of a whole day. To be certain (95 %) of at "
                 f"most {budget.per_day:.2g} a day, hear {length_in_words(needed)} of it without a false alarm ({way})")]


    def deaf(self) -> list[str]:
        """A warning where hardly any sound of the target reaches the threshold; empty where enough do.

        That happens where the room held the sound itself. Without recordings of the target its misses are not
        known, and the threshold alone tells.
        """
        misses = self.entry.expected.misses
        if (self.entry.threshold if misses is None else misses[0]) < DEAF:
            return []
        return [(f"hardly any {self.target} reaches so high a threshold. If the room held that sound, take this back: "
                 f"edge-audio calibrate --reset {self.target}")]


def length_in_words(hours: float) -> str:
    """A length in plain words: 2 minutes, 36 hours, 3 days."""
    if hours < 2.0:
        return "1 minute" if (minutes := round(hours * 60)) == 1 else f"{minutes} minutes"
    return f"{hours:.0f} hours" if hours < 48.0 else f"{hours / 24.0:.0f} days"


@dataclass(frozen=True, slots=True)
class Session:
    """asked: the targets as the settings have them; targets: the same as they are heard, which is with the
    corrections of feedback but without a calibration. served: the calibrations when they were read."""

    model: Model
    settings: Settings
    state_dir: Path
    asked: Asked
    targets: tuple[Target, ...]
    served: Calibrations
    budget: Budget

    @classmethod
    def open(cls, model: Model, settings: Settings, state_dir: Path, budget: Budget, only: Sequence[str] = ()) -> Session:
        """only: these targets; none: those of the settings, or the model's standard ones.

        Raises SettingsError for a target that is none, or that has no score (a pattern, a loudness target, an alarm by
        its rhythm).
        """
        named = {target.name: target for target in settings.target}
        for name in only:
            what = _no_score(named.get(name, TargetSettings(name=name)), model.labels)
            if what:
                raise SettingsError(f"--target {name}", found=what, wanted="a target that is a sound")
        wanted = tuple(named.get(name, TargetSettings(name=name)) for name in only) or settings.target
        named_model = find_model(settings.model.name, state_dir)
        asked = named_model.ask(wanted)
        served = named_model.calibrations(model, asked, state_dir)
        # As they will be heard: what feedback silenced must raise no threshold. Release thresholds play no part here.
        heard = named_model.ask([replace(target, release_threshold=0.0) for target in wanted])
        targets = resolve(heard, model.labels, corrections=served.corrections).sounds
        if not targets:
            raise SettingsError("[[target]]", found=f"none, and the model {model.manifest.name} suggests none",
                                wanted="a sound to calibrate (--target NAME)")
        return cls(model, settings, state_dir, asked, targets, served, budget)

    @contextmanager
    def changing(self, *, keep: bool) -> Iterator[Session]:
        """This session with the calibrations read again; nobody else changes them until the block ends.

        keep: False where nothing will be saved, and nothing has to be locked. Raises ModelError where another
        writer is at work for minutes.
        """
        with changing_calibrations(self.state_dir) if keep else nullcontext():
            named = find_model(self.settings.model.name, self.state_dir)
            yield replace(self, served=named.calibrations(self.model, self.asked, self.state_dir))

    @property
    def path(self) -> Path:
        """The owner's calibration of this model."""
        return own_path(self.state_dir, self.model.manifest.name)

    def labels(self, target: Target) -> tuple[str, ...]:
        """A target's labels."""
        return target.labels

    def basis(self, target: Target) -> Basis:
        """What is known of a target already."""
        labels = self.labels(target)
        network = next((offer.digest for offer in self.model.offers if target.looked and offer.name == target.name), "")
        basis = Basis(labels, network or row_sha256(self.model, labels), logit_of(target.threshold), network=network)
        entry = self.served.entries.get(target.name)
        return basis if entry is None else basis.known_from(entry)

    def check_writable(self) -> None:
        """See that the result can be kept, before an hour of hearing. Raises SettingsError."""
        nearest = next(path for path in (self.path.parent, *self.path.parents) if path.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            raise SettingsError("state directory", found=f"{nearest}, which cannot be written",
                                wanted="another (--state-dir or EDGE_AUDIO_STATE), or --dry-run")

    def save(self, entries: dict[str, TargetCalibration]) -> None:
        """Keep these entries beside the owner's others, inside `changing`. A file that does not fit this
        board is set aside; the log says so.

        Raises ModelError where the disk fails.
        """
        try:
            before = load_calibration(self.path, self.model.manifest)
        except ModelError:
            before = None  # `served` has said what is wrong with it
        if before is None or before.problem(self.model):
            if self.path.exists():
                log.warning("the calibration before does not fit; set aside as %s", set_aside(self.path))
            before = Calibration.new(self.model)
        save_calibration(self.path, before.with_targets(entries))

    def reset(self, target: str) -> list[str]:
        """Forget one target's entry, or (empty) all; what was forgotten. Raises SettingsError for nothing there."""
        wanted = f"a calibration of {self.model.manifest.name} of the owner's own (edge-audio calibrate --list)"
        if not self.path.exists():  # asked before the lock, which makes a folder
            raise SettingsError(f"--reset {target}".rstrip(), found=f"no {self.path}", wanted=wanted)
        with changing_calibrations(self.state_dir):
            if not target:
                self.path.unlink(missing_ok=True)
                return [f"all of {self.path}"]
            before = load_calibration(self.path, self.model.manifest)
            if before is None or target not in before.targets:
                raise SettingsError(f"--reset {target}", found="no such entry", wanted=wanted)
            save_calibration(self.path, before.without(target))
        return [target]


def _no_score(target: TargetSettings, labels: Sequence[str]) -> str:
    """What a target is that the model gives no score, in words; empty for a sound. labels: the model's."""
    if target.pattern_of:
        return f"a pattern over {target.pattern_of}"
    if target.louder_db:
        return "a loudness target"
    return "an alarm that is heard by its rhythm" if has_rhythm(target, labels) else ""
