"""The model as `edge-audio check` looks at it: opened and run once, what its delegate took, and what it would hear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from edge.cli.checkup.finding import Finding
from edge.cli.options import try_own_model
from edge.control.commanded import Commanded
from edge.control.current import idle_pins
from edge.control.loading import NamedModel, find_model
from edge.control.plan import plan_for
from edge.errors import EdgeError, SettingsError
from edge.features.look import LOOK_ROWS
from edge.model.classifier import Model
from edge.settings import Settings
from edge.stream import BANDS, Patch


def check_model(settings: Settings, state_dir: Path, commanded: Commanded) -> Iterator[Finding]:
    """Findings of the model, its look network, and what they would hear by the settings."""
    try:
        named = find_model(settings.model.name, state_dir)
        try_own_model(settings)
        model = named.open(runtime=settings.model.runtime, threads=settings.model.threads, delegate=settings.model.delegate)
        data = np.zeros((96, 64), np.float32) if model.wants == "bands" else np.zeros(model.patch_samples, np.int16)
        model.score(Patch(data, 0))
        yield Finding("model", True, model.describe())
        if model.looks is not None:
            model.looks.see(np.zeros((LOOK_ROWS, BANDS, 2), np.float32), 0)
            yield Finding("looks", True, model.looks.describe())
        yield _delegate(model)
    except EdgeError as error:
        yield Finding("model", False, str(error), _NO_DELEGATE if "delegate " in error.thing else
                      "edge-audio model list shows what there is, model verify what is broken; "
                      "teach --undo takes back what was taught")
        return
    yield from _targets(settings, named, model, state_dir, commanded.of(model.manifest.name))


_NO_DELEGATE = ("are its library installed and its device plugged in, and may this user open them? "
                "`[model] delegate = \"\"` does without; deploy/docs/coral.md")


def _delegate(model: Model) -> Finding:
    if said := model.undelegated:
        return Finding("delegate", False, f"{said}{': the model runs, several times slower' if model.slow else ''}",
                       delegate_advice(said))
    return Finding("delegate", True, "took what it can of the model")


def delegate_advice(said: str) -> str:
    """What to do about `Model.undelegated`, or `delegate` in health."""
    if "XNNPACK took" in said:
        return "is /proc/cpuinfo there? `ProcSubset=pid` in a unit hides it from XNNPACK"
    return ("a delegate takes what it was made for: an Edge TPU takes models that were compiled for it "
            "(deploy/docs/coral.md); `[model] delegate = \"\"` does without")


def _targets(settings: Settings, named: NamedModel, model: Model, state_dir: Path,
             commanded: Mapping[str, float]) -> Iterator[Finding]:
    try:
        asked = named.ask(settings.target)
        found = named.calibrations(model, asked, state_dir)
        plan = plan_for(model, asked, hop_seconds=settings.model.hop_seconds, calibrations=found.serving,
                       corrections=found.corrections, thresholds=commanded)
    except SettingsError as error:
        yield Finding("targets", False, str(error), f"edge-audio model show {model.manifest.name} lists the labels")
        return
    targets = plan.targets
    if not targets.names and not found.unheard:
        yield Finding("targets", False, f"none in the settings, and {model.manifest.name} suggests none", "add a [[target]]")
    for problem in found.problems:
        text, _, command = problem.rpartition(" (")
        yield Finding("calibration", False, text, command.rstrip(")"))
    if not found.problems:
        made = [f"{name} ({found.entries[name].made if name in found.entries else 'taught'})" for name in found.serving]
        yield Finding("calibration", True, ", ".join(made) or "none: the model's own thresholds serve")
    for target in targets.sounds:
        labels = target.labels
        if target.looked:
            labels = ("looks at onsets, and your own examples" if target.added is not None else "looks at onsets",)
        weak = " (experimental)" if set(labels) & set(model.manifest.experimental) else ""
        mended = ", corrected by feedback" if target.correction is not None else ""
        yield Finding("target", True, f"{target.name}: starts at {target.threshold:.3f}{_by(target.name, commanded)}, ends "
                      f"under {target.release_threshold:.3f}: {', '.join(labels)}{weak}{mended}")
    for pattern in targets.patterns:
        yield Finding("target", True, f"{pattern.name}: a pattern over {pattern.of}, {pattern.count} events")
    for loud in targets.loudness:
        yield Finding("target", True, f"{loud.name}: {loud.louder_db:g} dB over the room's noise")
    for alarm in targets.rhythms:
        yield Finding("target", True, f"{alarm.name}: starts at {alarm.threshold:.3f}{_by(alarm.name, commanded)}: the "
                      f"rhythm {alarm.rhythm.name} of a tone, whatever the model")
    for idle in idle_pins(settings, plan, found):
        yield Finding("pins", False, str(idle), idle.wanted)


def _by(target: str, commanded: Mapping[str, float]) -> str:
    return " (by a command)" if target in commanded else ""
