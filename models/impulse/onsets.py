"""Every onset that the appliance finds in scenes of single sounds, as looks beside what it truly is: one .npz a folder.

    python models/scenes/build.py SCENES
    python -m models.impulse.onsets SCENES/onsets/choose CHOOSE.npz

A network is then judged on the file within seconds, without hearing the scenes again. Arrays, one entry an onset:

- `looks`: uint8 `(n, 2, 48, 64, 2)`, the first look (EARLY rows heard) and the second (AFTER); `cells` makes
  float32 of them;
- `label`: class of the placed sound within 80 ms, the nearest one; "" for none. `source`, `ratio` (dB; NaN in
  the quiet) and `room` are that sound's. `inside`: where `label` is "", the class of the sound that lasts then;
- `sounds`, `background`: the scene's ("alone": nothing was placed in that scene). `scene`: the scene's number
  in `scenes`. `seconds`: where in the scene. `echo`: the detector takes the onset for an echo. `rise`: its rise in dB.

One entry a placed sound: `placed_label`, `_source`, `_ratio`, `_room`, `_sounds`, `_background`; `placed_onset`:
the number of its onset, -1 where none was found. `hours`: of all scenes together.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision.onset import CENTRE, Onset, OnsetDetector
from edge.features.frontend import FrontEnd
from edge.features.look import AFTER, EARLY, HIGHEST, LOOK_ROWS, LOWEST, look
from edge.stream import BANDS, FRAME_STEP, PATCH_SAMPLES, SAMPLE_RATE
from models.impulse.scene_sound import blocks_of, samples_of
from models.measuring.onsets import matched

STEPS = 255.0 / (HIGHEST - LOWEST)


def main() -> None:
    """Arguments in, file out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="scenes, as models/scenes/build.py writes them")
    parser.add_argument("file", type=Path, help="the .npz to write")
    options = parser.parse_args()
    arrays = gather(options.folder)
    np.savez(options.file, **arrays)
    placed = arrays["placed_onset"].astype(int)
    print(f"{options.file}: {len(arrays['label'])} onsets in {float(arrays['hours']):.2f} hours; "
          f"{np.mean(placed >= 0):.1%} of {len(placed)} placed sounds have one")


def cells(looks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Looks as the network takes them, float32, to the nearest of 256 steps."""
    return np.asarray(looks * np.float32(1.0 / STEPS) + np.float32(LOWEST), np.float32)


def gather(folder: Path) -> dict[str, Any]:
    """The arrays that the file holds."""
    scenes = _read(folder / "scenes.csv")
    placed: dict[str, list[dict[str, str]]] = {scene["scene"]: [] for scene in scenes}
    for row in _read(folder / "placed.csv"):
        placed[row["scene"]].append(row)
    looks: list[NDArray[np.uint8]] = []
    found: list[tuple[object, ...]] = []
    partners: list[int] = []
    samples = 0
    for number, scene in enumerate(scenes):
        own = placed[scene["scene"]]
        rows, onsets, length = _onsets(folder / f"{scene['scene']}.wav")
        samples += length
        kept = [one for one in onsets if _row(one) + AFTER <= len(rows)]
        partner = matched([_seconds(one) for one in kept], [float(sound["onset"]) for sound in own])
        owners = {one: own[place] for place, one in enumerate(partner) if one >= 0}
        partners += [one + len(looks) if one >= 0 else -1 for one in partner]
        for place, onset in enumerate(kept):
            looks.append(np.stack([_steps(look(rows, _row(onset), heard)) for heard in (EARLY, AFTER)]))
            found.append((number, _seconds(onset), onset.echo, onset.flux_db, scene["sounds"], scene["background"],
                          *_truth(owners.get(place)), "" if place in owners else _inside(_seconds(onset), own)))
    names = ("scene", "seconds", "echo", "rise", "sounds", "background", "label", "source", "ratio", "room", "inside")
    columns = zip(*found, strict=True) if found else ((),) * len(names)
    every = [(scene, sound) for scene in scenes for sound in placed[scene["scene"]]]
    return {
        "looks": np.stack(looks) if looks else np.zeros((0, 2, LOOK_ROWS, BANDS, 2), np.uint8),
        **{name: np.array(column) for name, column in zip(names, columns, strict=True)},
        "scenes": np.array([scene["scene"] for scene in scenes]),
        "hours": np.array(samples / SAMPLE_RATE / 3600.0),
        "placed_onset": np.array(partners, np.int64),
        **{f"placed_{name}": np.array([scene[name] for scene, _ in every]) for name in ("sounds", "background")},
        **{f"placed_{name}": np.array([_truth(sound)[place] for _, sound in every])
           for place, name in enumerate(("label", "source", "ratio", "room"))},
    }


def _truth(sound: dict[str, str] | None) -> tuple[str, str, float, str]:
    """Label, source, ratio and room of a placed sound; of none, nothing."""
    if sound is None:
        return "", "", float("nan"), ""
    return sound["label"], sound["source"], float(sound["ratio_db"] or "nan"), sound["room"]


def _inside(seconds: float, sounds: list[dict[str, str]]) -> str:
    return next((one["label"] for one in sounds if float(one["onset"]) <= seconds <= float(one["offset"])), "")


def _onsets(path: Path) -> tuple[NDArray[np.float32], list[Onset], int]:
    """Rows of a scene, its onsets, and its samples."""
    samples = samples_of(path)
    front, detector = FrontEnd(wants="bands", patch_samples=PATCH_SAMPLES, hop_seconds=0.24), OnsetDetector()
    rows: list[NDArray[np.float32]] = []
    onsets: list[Onset] = []
    for block in blocks_of(samples):
        front.push(block)
        if len(front.rows):
            rows.append(front.rows.copy())
            onsets += detector.push(rows[-1], front.rows_position)
    return np.concatenate(rows), onsets, len(samples)


def _row(onset: Onset) -> int:
    return (onset.position - CENTRE) // FRAME_STEP


def _seconds(onset: Onset) -> float:
    return onset.position / SAMPLE_RATE


def _steps(shown: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.rint((shown - np.float32(LOWEST)) * np.float32(STEPS)), np.uint8)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
