"""What serves now, and what would serve instead: a model, its calibrations, and the plan that settings make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from edge.control.calibrations import Calibrations
from edge.control.loading import find_model, logged
from edge.control.plan import Plan, plan_for
from edge.decision.resolve import Asked
from edge.errors import ModelError, SettingsError
from edge.model.classifier import Model
from edge.settings import Settings

MADE_BY = {"shipped": "the calibration that came with the model", "room": "your calibration by the room",
           "clips": "your calibration by recordings"}


@dataclass(frozen=True, slots=True)
class Serving:
    """settings: those that are in force, and what they ask of the model. thresholds: commanded ones, by target."""

    settings: Settings
    asked: Asked
    model: Model
    calibrations: Calibrations
    thresholds: Mapping[str, float]

    def plan(self) -> Plan:
        """A new plan of it. Raises SettingsError where there is nothing to hear, or a pin waits for what is not heard."""
        plan = plan_for(self.model, self.asked, hop_seconds=self.settings.model.hop_seconds,
                       calibrations=self.calibrations.serving, corrections=self.calibrations.corrections,
                       thresholds=self.thresholds)
        if not plan.targets.names and not self.calibrations.unheard:
            model = self.model.manifest.name
            raise SettingsError("[[target]]", found=f"none, and the model {model} suggests none",
                                wanted=f"what to hear (edge-audio model show {model} lists the labels)")
        for finding in idle_pins(self.settings, plan, self.calibrations):
            raise finding
        return plan

    def whence(self, target: str) -> str:
        """What set the threshold of a sound that is heard, in words."""
        settings = next((one for one in self.settings.target if one.name == target), None)
        if target in self.thresholds:
            return "a command"
        if settings is not None and settings.threshold:
            return "the settings"
        if target in self.calibrations.entries:
            return MADE_BY[self.calibrations.entries[target].made]
        looks = {sound.name for sound in self.asked.sounds if sound.offer is not None and sound.offer.standard}
        return "as it was taught" if target in looks or target in self.calibrations.taught else "the model's own"

    def commanded(self) -> dict[str, float]:
        """The commanded thresholds that are in force."""
        heard = {sound.name for sound in self.asked.sounds} | {alarm.name for alarm in self.asked.rhythms}
        return {target: threshold for target, threshold in self.thresholds.items() if target in heard}


def serving_of(settings: Settings, state_dir: Path, *, every_label: bool = False, before: Model | None = None) -> Serving:
    """Open the model with what it was taught, and find its calibrations. before: the model that served until now, by the
    same [model] settings. Raises ModelError, SettingsError."""
    named = find_model(settings.model.name, state_dir)
    asked = named.ask(settings.target)
    model = named.open(runtime=settings.model.runtime, threads=settings.model.threads, delegate=settings.model.delegate,
                       rows=None if every_label else asked.labels, before=before)
    return Serving(settings, asked, model, logged(named.calibrations(model, asked, state_dir)), {})


def serving_anew(before: Serving, settings: Settings, state_dir: Path, *, every_label: bool = False) -> Serving:
    """As `before`, with the targets of other settings and whatever was taught, calibrated and corrected since.

    Raises ModelError where the model itself is another one now, which needs a new start.
    """
    anew = serving_of(replace(before.settings, target=settings.target), state_dir, every_label=every_label,
                      before=before.model)
    old, new = before.model.manifest, anew.model.manifest
    if (old.version, old.backbone, old.whole) != (new.version, new.backbone, new.whole):
        raise ModelError(f"model {new.name}", found="another one than serves", wanted="a new start (systemctl restart)")
    return replace(anew, thresholds=before.thresholds)


def other_tables(before: Settings, after: Settings) -> Iterator[str]:
    """Tables, but for the targets', that differ: those take a new start."""
    for table in fields(Settings):
        if table.name != "target" and getattr(before, table.name) != getattr(after, table.name):
            yield f"[[{table.name}]]" if isinstance(getattr(after, table.name), tuple) else f"[{table.name}]"


def idle_pins(settings: Settings, plan: Plan, calibrations: Calibrations) -> Iterator[SettingsError]:
    """An error for each pin whose target does not exist. An `unheard` target exists: it waits for a new lesson."""
    names = dict.fromkeys((*plan.targets.names, *(target.name for target in settings.target), *calibrations.unheard))
    for pin in settings.pin:
        for name in pin.heard:
            if name not in names:
                yield SettingsError(f"[[pin]] {pin.pin} {'target' if pin.target else 'targets'}", found=repr(name),
                                    wanted=f"one of {', '.join(names)}")
