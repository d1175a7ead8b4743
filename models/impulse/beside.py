"""What a model's patches say of each onset of scenes, and how much that counts beside looks.

    python -m models.impulse.beside SCENES/onsets/choose CHOOSE.npz STARTER.npz --model starter
    python -m models.impulse.beside SCENES/onsets/choose CHOOSE.npz YAMNET.npz --model yamnet --state-dir STATE

CHOOSE.npz is what onsets.py writes. For each of its onsets the file written holds the highest logit that a patch gives each
target of TARGETS. Patches are those that the appliance would ask (edge/decision/looked.py: INSIDE, REACH).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.control.loading import find_model
from edge.decision.looked import INSIDE, REACH
from edge.features.frontend import FrontEnd
from edge.state import default_state_dir
from edge.stream import PATCH_SAMPLES, SAMPLE_RATE
from models.impulse.scene_sound import blocks_of, samples_of

TARGETS = ("hand_clap", "finger_snap", "door_knock", "glass_break")
HOP_SECONDS = 0.24
UNHEARD = -20.0
"""Logit of an onset that no patch holds: at the end of a scene."""


def main() -> None:
    """Arguments in, file out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the scenes")
    parser.add_argument("onsets", type=Path, help="their onsets, an .npz of onsets.py")
    parser.add_argument("file", type=Path, help="the .npz to write")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=None)
    options = parser.parse_args()
    with np.load(options.onsets) as file:
        onsets = {name: file[name] for name in ("scene", "scenes", "seconds")}
    found = patch_logits(options.folder, onsets, options.model, options.state_dir or default_state_dir())
    np.savez(options.file, **found)
    print(f"{options.file}: {len(found['logits'])} onsets, targets {', '.join(found['targets'].tolist())}")


def patch_logits(folder: Path, onsets: dict[str, NDArray[Any]], name: str, state_dir: Path) -> dict[str, NDArray[Any]]:
    """`logits` float32 `(onsets, targets)`; `targets` that the model suggests; `backbone`, the digest of its file."""
    named = find_model(name, state_dir)
    labels = {target.name: target.labels for target in named.manifest.targets if target.name in TARGETS}
    model = named.open()
    rows = [[model.labels.index(label) for label in labels[target]] for target in labels]
    logits = np.full((len(onsets["scene"]), len(rows)), UNHEARD, np.float32)
    for number, scene in enumerate(onsets["scenes"]):
        positions, said = [], []
        front = FrontEnd(wants="bands", patch_samples=PATCH_SAMPLES, hop_seconds=HOP_SECONDS)
        for block in blocks_of(samples_of(folder / f"{scene}.wav")):
            for patch in front.push(block):
                own = model.score(patch).logits
                assert own is not None
                positions.append(patch.position)
                said.append([max(own[row] for row in some) for some in rows])
        begins = np.array(positions)
        for onset in np.flatnonzero(onsets["scene"] == number):
            at = round(float(onsets["seconds"][onset]) * SAMPLE_RATE)
            ends = begins + PATCH_SAMPLES
            holding = (begins <= at) & (at <= ends - INSIDE) & (ends <= at + REACH)
            if holding.any():
                logits[onset] = np.max(np.array(said)[holding], axis=0)
    return {"logits": logits, "targets": np.array(list(labels)), "backbone": np.array(named.backbone)}


if __name__ == "__main__":
    main()
