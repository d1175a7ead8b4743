"""What `calibrate` found for a model's targets, and what that belongs to: backbone, front end, rows, runtime, machine."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge.errors import ModelError
from edge.model.classifier import Model, Split
from edge.model.manifest import bytes_sha256
from edge.model.proof import Proof, check_proof, make_proof
from edge.model.table import within

MADE = ("shipped", "clips", "room")
"""How an entry came about: with the model, from labelled clips, from what the room sounded like."""

EQUAL_MACHINES = ("x86_64", "aarch64")
"""Machines on which LiteRT's int8 scores are equal to the bit. Scores of tflite-runtime differ from one to the other."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """How high a target's logit rose in sound that does not hold the target.

    There is one peak for each false alarm that a low threshold would give.

    logits: the highest, descending; count: how many there were in all; hours: of sound. apart: share of the highest that
    began a burst; the others followed on one (a siren, a talk), and say nothing new.
    """

    logits: tuple[float, ...]
    count: int
    hours: float = field(metadata=within(0.0))
    apart: float = field(default=1.0, metadata=within(0.01, 1.0))


@dataclass(frozen=True, slots=True)
class Positives:
    """A target's highest logit in each recording that holds it, ascending (quantiles of many); how many there were.

    apart: how many independent recordings they are worth, over their number: those of one source are alike.
    """

    logits: tuple[float, ...]
    count: int = field(metadata=within(1))
    apart: float = field(default=1.0, metadata=within(1e-3, 1.0))


@dataclass(frozen=True, slots=True)
class Expected:
    """What to expect at the threshold: false alarms a day with the upper 95 % bound, and the share of sounds missed.

    extrapolated: the sound that was heard held no such alarm: its tail was drawn out. misses: with its 95 % interval;
    None where no recording of the sound was at hand. error_before, error_after: expected calibration error of the bare
    score and of the probability (out of fold); None where nothing was fitted.
    """

    alarms_per_day: float = field(metadata=within(0.0))
    alarms_upper: float = field(metadata=within(0.0))
    extrapolated: bool = False
    misses: tuple[float, float, float] | None = None
    error_before: float | None = None
    error_after: float | None = None


@dataclass(frozen=True, slots=True)
class TargetCalibration:
    """One target's entry: probability = logistic(scale * softplus(logit) - scale_below * softplus(-logit) + offset).

    With scale_below equal to scale that is logistic(scale * logit + offset) (Platt 1999), else beta calibration
    (Kull et al. 2017). row_sha256: digest of the rows that the logits came from.
    budget_per_day: false alarms allowed; varied_hours: how much varied sound a day was taken to hold.
    """

    labels: tuple[str, ...]
    row_sha256: str
    made: str = field(metadata=within(choices=MADE))
    scale: float = field(metadata=within(0.0))
    scale_below: float = field(metadata=within(0.0))
    offset: float
    threshold: float = field(metadata=within(0.0, 1.0))
    release_threshold: float = field(metadata=within(0.0, 1.0))
    budget_per_day: float = field(metadata=within(0.0))
    varied_hours: float = field(metadata=within(0.0))
    expected: Expected
    positives: Positives | None = None
    negatives: Peaks | None = None
    room: Peaks | None = None
    network: str = ""
    """Digest of the look network and its stages, whose logits these are; "": the model's rows, by patches."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a calibration was made on. sha256: of backbone or whole file; front_end: its version, 0 for the latter."""

    sha256: str
    front_end: int
    runtime: str
    runtime_version: str
    machines: tuple[str, ...]

    @classmethod
    def of(cls, model: Model, *, shipped: bool) -> Binding:
        """What this model, runtime and machine are. shipped: to be used on others too, where they compute the same."""
        manifest = model.manifest
        graph = manifest.backbone or manifest.whole
        assert graph is not None  # Manifest.check saw to it
        runtime, version = model.runtime_name.rsplit(" ", 1)
        own = platform.machine()
        machines = EQUAL_MACHINES if shipped and runtime == "LiteRT" and own in EQUAL_MACHINES else (own,)
        return cls(graph.sha256, manifest.front_end.version if manifest.front_end else 0, runtime, version, machines)

    def problem(self, here: Binding) -> str:
        """Why a calibration of this binding does not serve on `here`; empty where it does. Runtime versions may differ."""
        if self.sha256 != here.sha256:
            return f"made for another backbone (sha256 {self.sha256[:12]}, here {here.sha256[:12]})"
        if self.front_end != here.front_end:
            return f"made with front end {self.front_end}, here {here.front_end}"
        if self.runtime != here.runtime:
            return f"made on {self.runtime}, here {here.runtime}"
        if not set(here.machines) & set(self.machines):
            return f"made on {' and '.join(self.machines)}, here {' and '.join(here.machines)}"
        return ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibration file: entries by target, what they are bound to, and the proof that a board computes the same."""

    model: str
    binding: Binding
    proof: tuple[Proof, ...]
    targets: dict[str, TargetCalibration]

    @classmethod
    def new(cls, model: Model, *, shipped: bool = False) -> Calibration:
        """An empty one for this model, runtime and machine, with its proof. Raises ModelError where the runtime fails."""
        return cls(model.manifest.name, Binding.of(model, shipped=shipped), make_proof(model), {})

    def problem(self, model: Model) -> str:
        """Why this calibration must not be used with `model` here; empty where it may. Runs the model on the proof."""
        return self.binding.problem(Binding.of(model, shipped=False)) or check_proof(model, self.proof)

    def with_targets(self, targets: dict[str, TargetCalibration]) -> Calibration:
        """The same with these entries put in or replaced."""
        return replace(self, targets={**self.targets, **targets})

    def without(self, target: str) -> Calibration:
        """The same without one entry."""
        return replace(self, targets={name: entry for name, entry in self.targets.items() if name != target})


def row_sha256(model: Model, labels: Sequence[str]) -> str:
    """Digest of what makes a target's logit of an embedding: the rows of its labels, whatever their order.

    Of a whole model: the labels and their places, since the file's own digest covers its rows. A correction (the owner's
    feedback) is no part of it: it is fitted to leave all other answers as they are.
    Raises ModelError for a label that the model lacks.
    """
    parts = []
    for label in sorted(labels):
        if label not in model.labels:
            raise ModelError(f"model {model.manifest.name}: label", found=repr(label), wanted="a label of the model")
        if isinstance(model, Split):
            row = model.labels.index(label)
            parts += [values.astype("<f4").tobytes() for values in (model.head.weights[row], model.head.bias[row: row + 1])]
        else:
            parts.append(f"{model.manifest.labels.index(label)} {label}\n".encode())
    return bytes_sha256(parts)


def entry_problem(entry: TargetCalibration, labels: Sequence[str], digest: str, network: str = "") -> str:
    """Why an entry does not belong to a target of these labels and rows; empty where it does.

    network: digest of the look network that decides the target; "": patches do.
    """
    if entry.network != network:
        return (f"made for {f'look network {entry.network[:12]}' if entry.network else 'patches'}, here "
                f"{f'look network {network[:12]} decides' if network else 'patches decide'}")
    if set(entry.labels) != set(labels):
        return f"made for the labels {', '.join(entry.labels)}, here {', '.join(labels)}"
    return "" if entry.row_sha256 == digest else "its rows have changed"
