"""Which calibration serves: the owner's before the one that came with the model, each only where it fits and is proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.decision.resolve import Asked
from edge.decision.targets import Calibrated, Correction
from edge.errors import ModelError
from edge.model.calibration import Calibration, TargetCalibration, entry_problem, row_sha256
from edge.model.calibration_file import load_calibration, own_path, shipped_path
from edge.model.classifier import Model
from edge.model.taught import Taught, TaughtSound
from edge.settings import TargetSettings


@dataclass(frozen=True, slots=True)
class Calibrations:
    """Entries that serve, by target; shipped: those that came with the model and fit, whether they serve or
    the owner's do.

    taught: the owner's sounds; the thresholds of their lessons serve until a calibration of the sound does.
    corrections: what feedback added, by target, where it was made for the labels that the target has, and for patches or
    looks, whichever decide it.
    problems: what does not fit, each with what mends it in parentheses at the end. unheard: sounds that were
    taught to an earlier model of this name; targets of theirs are not heard.
    """

    entries: dict[str, TargetCalibration] = field(default_factory=dict)
    shipped: dict[str, TargetCalibration] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    taught: dict[str, TaughtSound] = field(default_factory=dict)
    corrections: dict[str, Correction] = field(default_factory=dict)
    unheard: tuple[str, ...] = ()

    @property
    def serving(self) -> Mapping[str, Calibrated]:
        """What the listener takes, by target."""
        return {**self.taught, **self.entries}

    def about(self) -> dict[str, object]:
        """For health."""
        return {"targets": {name: entry.made for name, entry in sorted(self.entries.items())},
                "problems": list(self.problems)}


def runtime_kind(model: Model) -> str:
    """"LiteRT" or "tflite-runtime"."""
    return model.runtime_name.rsplit(" ", 1)[0]


def calibrations_for(model: Model, asked: Asked, *, directory: Path, state_dir: Path,
                     taught: Taught | None = None) -> Calibrations:
    """The calibrations that fit this model, its rows, its runtime and this machine, and are proven here.

    asked: the targets. directory: the model's own. What does not fit is not used: it becomes a problem and raises no
    error. An entry that came with the model is no problem where the settings give its target other labels.
    """
    problems: list[str] = []
    name = model.manifest.name
    shipped = _usable(shipped_path(directory, runtime_kind(model)), model, "edge-audio model verify", problems)
    own = _usable(own_path(state_dir, name), model, f"edge-audio calibrate --model {name}", problems)
    entries: dict[str, TargetCalibration] = {}
    fitting: dict[str, TargetCalibration] = {}
    for target in asked.sounds:
        labels = list(target.deciding)
        network = target.offer.digest if target.offer is not None else ""
        digest = network or row_sha256(model, labels)
        for calibration in (shipped, own):
            entry = calibration.targets.get(target.name) if calibration is not None else None
            if entry is None:
                continue
            problem = entry_problem(entry, labels, digest, network)
            if not problem:
                entries[target.name] = entry
                if calibration is shipped:
                    fitting[target.name] = entry
            elif calibration is own:
                problems.append(f"calibration of {target.name}: {problem}; not used "
                                f"(edge-audio calibrate --model {name} --target {target.name})")
    sounds: dict[str, TaughtSound] = {}
    corrections: dict[str, Correction] = {}
    if taught is not None:
        labels_of = {target.name: target.labels for target in asked.sounds}
        # A target of the settings that has a taught sound's name, but other labels, is another target.
        sounds = {sound.name: sound for sound in taught.sounds if labels_of.get(sound.name, (sound.name,)) == (sound.name,)}
        corrections = _corrections(taught, asked, model.looks.sha256 if model.looks is not None else "", problems)
    for target in asked.sounds:
        serving = entries.get(target.name) or sounds.get(target.name)
        if serving is not None and release_too_high(target.settings, serving.threshold):
            problems.append(f"release_threshold {target.settings.release_threshold:g} of {target.name}: over its threshold "
                            f"{serving.threshold:.4f}, which was calibrated or taught and serves for both "
                            f"(take release_threshold out of [[target]] {target.name})")
    return Calibrations(entries, fitting, tuple(problems), sounds, corrections)


def _corrections(taught: Taught, asked: Asked, network: str, problems: list[str]) -> dict[str, Correction]:
    """What feedback added to targets that are asked for, where it was made for what decides them; `problems` gets the rest.

    network: digest of the look network; "" where there is none. Feedback on patches and on looks lie beside each other:
    what does not serve is no problem where the other does.
    """
    found: dict[str, Correction] = {}
    for target in asked.sounds:
        by, misfit = network if target.offer is not None else "", ""
        for corrections in (taught.corrections, taught.look_corrections):
            one = corrections.get(target.name)
            if one is None:
                continue
            if one.network != by:
                misfit = f"made for {_decider(one.network)}, here {_decider(by)} decide{'s' if by else ''}"
            elif set(one.labels) != set(target.deciding):
                misfit = f"made for the labels {', '.join(one.labels)}, here {', '.join(target.deciding)}"
            else:
                found[target.name] = Correction(one.weights, one.bias)
        if misfit and target.name not in found:
            problems.append(f"feedback on {target.name}: {misfit}; not used "
                            f"(edge-audio teach --model {taught.model} --remove {target.name})")
    return found


def _decider(network: str) -> str:
    return f"look network {network[:12]}" if network else "patches"


def release_too_high(target: TargetSettings, threshold: float) -> bool:
    """Whether the settings let go of a target later than a calibrated or taught threshold starts it; see
    `resolve`."""
    return not target.threshold and target.release_threshold > threshold


def _usable(path: Path, model: Model, command: str, problems: list[str]) -> Calibration | None:
    """The calibration at `path` if there is one and it fits; else its problem is added."""
    try:
        calibration = load_calibration(path, model.manifest)
        problem = calibration.problem(model) if calibration is not None else ""
    except ModelError as error:
        problems.append(f"calibration {error}; not used ({command})")
        return None
    if problem:
        problems.append(f"calibration {path}: {problem}; not used ({command})")
        return None
    return calibration
