"""How the logits of either look become probabilities, and the thresholds.

Probabilities and thresholds come from the scenes of the half of eval's sources that
choose. The other half reports, and is not read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ai_edge_litert.interpreter import Interpreter
from torch.nn import functional

from edge.features.look import HIGHEST, LOWEST
from edge.model.head import against_the_others
from models.impulse.lessons import Windows, looks_of
from models.impulse.stock import LABELS

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Platt = tuple[float, float]
"""Scale and offset of a logit."""
ALARMS = 12.0
"""False alarms an hour of the scenes that choose, at most."""
FIRST_SHARE = 0.7
"""Of these, as many at most are made by the first look."""
LEAST_CHOOSING = 30
"""Placed sounds of a label from which its probabilities are fitted on scenes. Else on training windows, and less sure."""


class Network8:
    """look.tflite as the appliance runs it."""

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: Any = self._interpreter.get_input_details()[0]
        self._output: Any = self._interpreter.get_output_details()[0]

    def embeddings(self, looks: Floats) -> Floats:
        """Embeddings float32 `(n, E)` of looks `(n, 48, 64, 2)`."""
        scale, zero = self._input["quantization"]
        cells = np.clip(np.rint(looks / scale) + zero, -128, 127).astype(np.int8)
        found = np.empty((len(looks), self._output["shape"][-1]), np.int8)
        for number, look in enumerate(cells):
            self._interpreter.set_tensor(self._input["index"], look[None])
            self._interpreter.invoke()
            found[number] = self._interpreter.get_tensor(self._output["index"])[0]
        scale, zero = self._output["quantization"]
        return np.asarray((found.astype(np.float32) - zero) * np.float32(scale))


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


def hear(network: Network8, head: tuple[Floats, Floats], scenes: Any) -> Chosen:
    """Run the network on the looks of an .npz of onsets.py."""
    weights, bias = head
    logits = []
    for stage in (0, 1):
        looks = scenes["looks"][:, stage] * np.float32((HIGHEST - LOWEST) / 255.0) + np.float32(LOWEST)
        logits.append(against_the_others(network.embeddings(looks) @ weights.T + bias))
    return Chosen(np.stack(logits), scenes)


def target_of(label: str, chosen: Chosen, trained: tuple[Floats, npt.NDArray[np.int64]]) -> tuple[float, Platt, Platt]:
    """Threshold and both stages of a label. trained: logits `(2, n, labels)` of training windows, and their labels.

    The threshold leaves ALARMS false alarms an hour. The first look's offset is lowered, if need be, until the first look
    alone makes FIRST_SHARE of them: what it does not dare to name, the second look may.
    """
    column, scenes = LABELS.index(label), chosen.scenes
    counted = ~scenes["echo"] & (scenes["inside"] != label)
    if int((scenes["placed_label"] == label).sum()) >= LEAST_CHOOSING:
        logits, wanted = chosen.logits[:, counted, column], scenes["label"][counted] == label
    else:
        logits, wanted = trained[0][..., column], trained[1] == column
    first, second = fit_platt(logits[0], wanted), fit_platt(logits[1], wanted)
    false = chosen.logits[:, counted & (scenes["label"] == ""), column]
    most = ALARMS * float(scenes["hours"])
    surest = np.maximum(_line(first, false[0]), _line(second, false[1]))
    at = _over(surest, most)
    for _ in range(20):  # lowering the first look's offset makes room for the second, and so on
        over = _over(_line(first, false[0]), FIRST_SHARE * most) - at
        if over <= 0.001:
            break
        first = (first[0], first[1] - over)
        at = _over(np.maximum(_line(first, false[0]), _line(second, false[1])), most)
    threshold = float(np.clip(1.0 / (1.0 + np.exp(-at)), 0.02, 0.98))
    return round(threshold, 4), (first[0], round(first[1], 4)), second


def _line(platt: Platt, logits: Floats) -> Floats:
    return np.asarray(platt[0] * logits + platt[1], np.float32)


def _over(values: Floats, count: float) -> float:
    """A threshold that at most `count` of the values exceed; no lower than that of an even chance in 50."""
    ordered = np.sort(values)[::-1]
    return max(float(ordered[int(count)]) if int(count) < len(ordered) else -4.0, -4.0)
