"""Which threshold serves each target, and whence it is: what `edge-audio model show` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.control.calibrations import Calibrations
from edge.control.commanded import load_commanded
from edge.control.loading import find_model
from edge.control.plan import plan_of
from edge.settings import Settings, TargetSettings

MADE = {"shipped": "the calibration that came with the model", "room": "your calibration by the room",
        "clips": "your calibration by recordings"}


@dataclass(frozen=True, slots=True)
class ServedTarget:
    """A target with the probabilities that start and end its events, from 0 to 1. whence: what set them, in words.

    standard: heard where the settings name no target.
    """

    name: str
    labels: tuple[str, ...]
    threshold: float
    release_threshold: float
    whence: str
    standard: bool


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Every sound of the settings, or of the model where they name none. problems: what was not used, and what mends it."""

    targets: tuple[ServedTarget, ...]
    problems: tuple[str, ...]


def thresholds(settings: Settings, state_dir: Path) -> Thresholds:
    """What serves with these settings. The model is opened and its calibrations are proven, as `run` does.

    Raises ModelError, SettingsError.
    """
    named = find_model(settings.model.name, state_dir)
    offered = {target.name: target.standard for target in named.extended.targets}
    wanted = {target.name: target for target in settings.target or map(TargetSettings, offered)}
    asked = named.ask(tuple(wanted.values()))
    model = named.open(runtime=settings.model.runtime, rows=asked.labels)
    found = named.calibrations(model, asked, state_dir)
    commanded = load_commanded(state_dir, settings.command.allow).of(named.manifest.name)
    plan = plan_of(model, asked, hop_seconds=settings.model.hop_seconds, calibrations=found.serving,
                   corrections=found.corrections, thresholds=commanded)
    served = [ServedTarget(sound.name, tuple(model.labels[row] for row in sound.rows), sound.threshold,
                           sound.release_threshold,
                           "a command" if sound.name in commanded else _whence(wanted.get(sound.name), found, sound.name),
                           bool(settings.target) or offered.get(sound.name, True)) for sound in plan.targets.sounds]
    return Thresholds(tuple(sorted(served, key=lambda one: not one.standard)), found.problems)


def _whence(target: TargetSettings | None, found: Calibrations, name: str) -> str:
    if target is not None and target.threshold:
        return "the settings"
    if name in found.entries:
        return MADE[found.entries[name].made]
    return "as it was taught" if name in found.taught else "the model's own"
