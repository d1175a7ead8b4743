"""How the logits of either look become probabilities, and the thresholds.

Probabilities and thresholds come from the scenes of the half of eval's sources that
choose. The other half reports, and is not read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from backbone import Backbone
from torch.nn import functional

from edge.decision.calibration import of_rise
from edge.decision.lookout import LEAST_FLUX_DB
from edge.model.head import against_the_others
from models.impulse.lessons import Windows, looks_of
from models.impulse.onsets import cells
from models.impulse.stock import LABELS

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Platt = tuple[float, float]
"""Scale and offset of a logit."""
Weights = tuple[float, float, float]
"""Of the look's logit, of the patch's, and the offset."""
Patches = Mapping[str, Floats]
"""By target: the highest logit that a patch gives each onset of the scenes, float32 `(n,)` (beside.py)."""
ALARMS = {"hand_clap": 4.0, "finger_snap": 12.0, "door_knock": 3.0, "key_press": 3.0, "tap": 3.0}
"""False alarms an hour of the scenes that choose, at most. Fewer where the recall allows, or where no scene shows it.
Sources that are left out make two to three times as many for claps."""
RISES = {"hand_clap": 0.15}
"""What each dB by which an onset rises more than a typical one adds to a look's logit."""
LOGITS = 0.0, 3.5
"""Of the threshold, at least and at most: an even chance, and 0.97."""
HARD = 0.01
"""Of the hard sounds of the scenes that choose, so many at most raise a label that looks decide alone."""
FIRST_SHARE, SECOND_SHARE = 0.35, 0.15
"""Of these, as many at most are made by the first look, and by the second."""
LEAST_CHOOSING = 30
"""Placed sounds of a label from which its probabilities are fitted on scenes. Else on training windows, and less sure."""


def embeddings(network: Backbone, looks: Floats) -> Floats:
    """Embeddings float32 `(n, E)` of looks `(n, 48, 64, 2)`. network: look.tflite, as the appliance runs it."""
    scale, zero = network.input["quantization"]
    found: Floats = network.embeddings(np.clip(np.rint(looks / scale) + zero, -128, 127).astype(np.int8))
    return found


def window_looks(windows: Windows, chosen: npt.NDArray[np.int64], heard: int) -> Floats:
    """Looks `(n, 48, 64, 2)` of some windows at one stage."""
    rows = torch.from_numpy(windows.rows[chosen].astype(np.float32))
    floors = torch.from_numpy(windows.floors[chosen].astype(np.float32))
    return looks_of(rows, floors, torch.full((len(chosen),), heard)).permute(0, 2, 3, 1).contiguous().numpy()


def fit_platt(logits: Floats, wanted: Flags) -> tuple[float, float]:
    """Scale and offset by maximum likelihood (Platt, 1999), the targets drawn in as he does."""
    values = torch.from_numpy(logits.astype(np.float64))
    yes, no = int(wanted.sum()), int((~wanted).sum())
    goals = torch.from_numpy(np.where(wanted, (yes + 1) / (yes + 2), 1 / (no + 2)))
    found = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([found], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        error = functional.binary_cross_entropy_with_logits(values * found[0] + found[1], goals)
        error.backward()  # type: ignore[no-untyped-call]
        return error

    solver.step(loss)  # type: ignore[no-untyped-call]
    scale, offset = found.detach().tolist()
    return max(round(scale, 4), 0.05), round(offset, 4)


@dataclass(frozen=True)
class Chosen:
    """Scenes that choose, heard: logits of both looks float32 `(2, n, labels)`, and what onsets.py says of each onset."""

    logits: Floats
    scenes: Any


def hear(network: Backbone, head: tuple[Floats, Floats], scenes: Any) -> Chosen:
    """Run the network on the looks of an .npz of onsets.py."""
    weights, bias = head
    logits = []
    for stage in (0, 1):
        logits.append(against_the_others(embeddings(network, cells(scenes["looks"][:, stage])) @ weights.T + bias))
    return Chosen(np.stack(logits), scenes)


@dataclass(frozen=True)
class Target:
    """How a label is told: threshold (a probability), both looks' scale and offset, and the weights beside each backbone."""

    threshold: float
    first: Platt
    second: Platt
    besides: Mapping[str, Weights]
    rise: float


def target_of(label: str, chosen: Chosen, trained: tuple[Floats, npt.NDArray[np.int64]],
              patches: Mapping[str, Patches]) -> Target:
    """Fit a label. trained: logits `(2, n, labels)` of training windows, and their labels. patches: by backbone.

    One threshold serves the looks and the patches beside them, for ALARMS an hour. Looks may make FIRST_SHARE
    and SECOND_SHARE of them at most, where patches count too: a look's offset is lowered until it does. What looks do not
    dare to name, a patch may.
    """
    column, scenes = LABELS.index(label), chosen.scenes
    counted = ~scenes["echo"] & (scenes["inside"] != label) & (scenes["rise"] >= LEAST_FLUX_DB)
    alike, false = scenes["label"][counted] == label, scenes["label"][counted] == ""
    rise = RISES.get(label, 0.0)
    every = np.asarray(chosen.logits[..., column] + of_rise(rise, scenes["rise"]), np.float32)
    looks = every[:, counted]
    beside = {name: own[label][counted] for name, own in patches.items() if label in own}
    if int(alike.sum()) < LEAST_CHOOSING:
        logits, wanted, beside = trained[0][..., column], trained[1] == column, {}
    else:
        logits, wanted = looks, alike
    stages = [fit_platt(each, wanted) for each in logits]
    weights = {name: fit_beside(looks[1], own, alike) for name, own in beside.items()}
    together = {name: _together(weights[name], looks[1], own) for name, own in beside.items()}
    most = ALARMS[label] * float(scenes["hours"])
    shares = (FIRST_SHARE, SECOND_SHARE) if beside else (FIRST_SHARE, 1.0)
    if beside:
        at = max(_over(values[false], most) for values in together.values())
    else:
        at = max(_over(_line(stage, own[false]), share * most)
                 for stage, own, share in zip(stages, looks, shares, strict=True))
    if not beside:
        hard = scenes["placed_onset"][(scenes["placed_sounds"] == "hard") & (scenes["placed_label"] != label)]
        own = every[:, hard[hard >= 0]]
        at = max(at, *(_over(_line(stage, each), HARD * len(hard)) for stage, each in zip(stages, own, strict=True)))
    at = float(np.clip(at, *LOGITS))
    stages = [_lowered(stage, own[false], share * most, at) for stage, own, share in zip(stages, looks, shares, strict=True)]
    unnamed = false & (_line(stages[0], looks[0]) <= at) & (_line(stages[1], looks[1]) <= at)
    left = max(most - float((false & ~unnamed).sum()), 0.0)
    besides = {name: (*weights[name][:2], round(weights[name][2] - max(_over(values[unnamed], left) - at, 0.0), 4))
               for name, values in together.items()}
    return Target(round(1.0 / (1.0 + float(np.exp(-at))), 4), stages[0], stages[1], besides, rise)


def _lowered(stage: Platt, logits: Floats, most: float, at: float) -> Platt:
    """The same, its offset so low that at most so many logits come over `at`."""
    return stage[0], round(stage[1] - max(_over(_line(stage, logits), most) - at, 0.0), 4)


def fit_beside(look: Floats, patch: Floats, wanted: Flags) -> Weights:
    """Weights of both logits and the offset, by maximum likelihood; a weight is never negative."""
    values = torch.from_numpy(np.stack((look, patch, np.ones_like(look)), 1).astype(np.float64))
    goals = torch.from_numpy(wanted.astype(np.float64))
    found = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([found], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        error = functional.binary_cross_entropy_with_logits(values @ found, goals) + 1e-4 * found[:2].square().sum()
        error.backward()  # type: ignore[no-untyped-call]
        return error

    solver.step(loss)  # type: ignore[no-untyped-call]
    of_look, of_patch, offset = found.detach().tolist()
    return round(max(of_look, 0.0), 4), round(max(of_patch, 0.0), 4), round(offset, 4)


def _together(weights: Weights, look: Floats, patch: Floats) -> Floats:
    return np.asarray(weights[0] * look + weights[1] * patch + weights[2], np.float32)


def _line(platt: Platt, logits: Floats) -> Floats:
    return np.asarray(platt[0] * logits + platt[1], np.float32)


def _over(values: Floats, count: float) -> float:
    """A value that at most `count` of the values exceed; of none, a very low one."""
    ordered = np.sort(values)[::-1]
    return float(ordered[min(int(count), len(ordered) - 1)]) + 1e-4 if len(ordered) else -20.0
