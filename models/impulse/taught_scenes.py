"""Scenes of single sounds as looks and patches, and the sounds that were placed in them, for taught.py."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.append(str(Path(__file__).resolve().parents[1] / "scenes"))

from cut import RATE, Cut
from impulses import Impulses
from stock import recording

from edge.decision.looked import INSIDE, REACH
from edge.features.frontend import FrontEnd
from edge.learn.embedding import Embedder
from edge.learn.teach import Recording
from edge.model.classifier import Split
from edge.model.impulse import LookNetwork
from edge.stream import PATCH_SAMPLES
from models.impulse.onsets import cells
from models.impulse.scene_sound import blocks_of, samples_of

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
HOP_SECONDS = 0.24
LEAD = round(0.8 * RATE)
"""Samples that a recording has before its sound, at most."""
QUIETER_DB = 20.0
"""Nothing in these samples comes as near as that to the sound: what is louder is an earlier one."""
EDGE = RATE // 10
UNHEARD = -50.0


@dataclass(frozen=True)
class Heard:
    """Scenes, onset by onset. looks float32 (n, 2, e): of both looks. patches float32 (p, e): of all patches; holds: of each
    onset the numbers of the patches that hold it, and of those that the appliance asks beside a look. arrays: what onsets.py
    wrote. piece: of each placed sound, which of its source's it is."""

    looks: Floats
    patches: Floats
    holds: list[npt.NDArray[np.intp]]
    asked: list[npt.NDArray[np.intp]]
    arrays: dict[str, npt.NDArray[Any]]
    piece: npt.NDArray[np.str_]

    def highest(self, values: Floats, holds: list[npt.NDArray[np.intp]]) -> Floats:
        """Of each onset the highest value of these patches, float32 (n,). values: of all patches."""
        return np.array([values[own].max() if len(own) else UNHEARD for own in holds], np.float32)


def hear(folder: Path, onsets: Path, network: LookNetwork, model: Split) -> Heard:
    """Look at every onset of an .npz of onsets.py, and hear the scenes' patches."""
    with np.load(onsets) as file:
        arrays = {name: file[name] for name in file}
    found = np.array([[network.see(one, 0).embedding for one in cells(both)] for both in arrays.pop("looks")], np.float32)
    embedder, embeddings, starts, owner = Embedder(model), [], [], []
    for number, scene in enumerate(arrays["scenes"]):
        front = FrontEnd(wants="bands", patch_samples=PATCH_SAMPLES, hop_seconds=HOP_SECONDS)
        for block in blocks_of(samples_of(folder / f"{scene}.wav")):
            for patch in front.push(block):
                embeddings.append(embedder.pack(model.backbone.embed(np.asarray(patch.data, np.float32))))
                starts.append(patch.position)
                owner.append(number)
    at = np.rint(arrays["seconds"] * RATE).astype(int)
    begins, scenes = np.array(starts), np.array(owner)
    holds = [np.flatnonzero((scenes == scene) & (begins <= one) & (one <= begins + PATCH_SAMPLES - INSIDE))
             for one, scene in zip(at, arrays["scene"], strict=True)]
    asked = [own[begins[own] + PATCH_SAMPLES <= one + REACH] for own, one in zip(holds, at, strict=True)]
    return Heard(found, embedder.embeddings(np.stack(embeddings)), holds, asked, arrays, _pieces(folder, arrays))


def _pieces(folder: Path, arrays: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.str_]:
    """Of each placed sound, in the order of the arrays, the recording and the place that it was cut from."""
    with (folder / "placed.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_scene: dict[str, list[str]] = {}
    for row in rows:
        by_scene.setdefault(row["scene"], []).append(f"{row['path']}@{row['source_onset']}")
    return np.array([piece for scene in arrays["scenes"] for piece in by_scene.get(scene, [])])


def recordings_of(half: str, label: str) -> dict[str, dict[str, Recording]]:
    """By source and piece: each clear single sound of a label, as it was recorded, in its own room."""
    found: dict[str, dict[str, Recording]] = {}
    for source, pieces in Impulses(half).pieces[label].items():
        for piece in pieces:
            name = f"{piece.path}@{piece.cut.onset / RATE:.4f}"
            found.setdefault(source, {})[name] = Recording(name, _alone(recording(piece.path), piece.cut))
    return found


def _alone(samples: Floats, cut: Cut) -> npt.NDArray[np.int16]:
    """A sound with what lies before it, up to the one before: int16."""
    level = np.sqrt(np.convolve(samples.astype(np.float64) ** 2, np.full(RATE // 100, 100.0 / RATE), "same"))
    most = level[cut.onset: cut.onset + EDGE].max() * 10 ** (-QUIETER_DB / 20)
    lowest = max(cut.onset - LEAD, 0)
    louder = np.flatnonzero(level[lowest: max(cut.onset - 240, lowest)] >= most)
    start = min(lowest + int(louder[-1]) + EDGE, cut.start) if len(louder) else lowest
    return np.clip(np.rint(samples[start: cut.stop] * 32_768.0), -32_768, 32_767).astype(np.int16)
