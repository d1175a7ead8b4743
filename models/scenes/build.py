"""Build scenes with known truth from recordings that train nothing: WAV, annotations, and a list of what is in each.

    python models/scenes/build.py FOLDER
    python -m models.measuring scenes FOLDER/truth
    python -m models.measuring scenes FOLDER/rooms

`truth`: claps, pairs, snaps and knocks on a quiet background. `rooms`: 60 scenes of a minute: sounds 24, 12, 6, 0 and -6 dB
over (or under) ambience, appliances, music or speech, one after another or overlapping. Beside each WAV lies a .txt of
tab-separated onset, offset (seconds) and label; scenes.csv says seed and kind of each scene, placed.csv where each sound
comes from. The same seed gives the same samples. Needs the recordings (EDGE_AUDIO_SHARED, default ../shared), numpy and
soundfile. FOLDER must lie outside the repository: these recordings may not be published.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import wave
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "starter"))

from clips import REPOSITORY
from cut import RATE
from scene import Kind, Scene, room_scene, truth_scene
from stock import BACKGROUNDS, LASTING, OTHERS, SINGLE, Stock

RATIOS_DB = (12.0, 6.0, 0.0, -6.0, 24.0)  # the scenes of a ratio stay the same when one is added behind
EACH = 6  # scenes of each ratio, overlapping or not
TRUTH = 12
SEED = 20261


def main() -> int:
    """Arguments in, scenes out; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build scenes with known truth.")
    parser.add_argument("folder", type=Path, help="where they go: outside the repository")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--each", type=int, default=EACH, help="scenes of each ratio, overlapping or not")
    parser.add_argument("--truth", type=int, default=TRUTH, help="scenes on a quiet background")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if folder == REPOSITORY or REPOSITORY in folder.parents:
        print(f"build.py: {arguments.folder}: found a folder of the repository; wanted one outside it", file=sys.stderr)
        return 2
    stock = Stock()
    for label in (*SINGLE, *LASTING, *OTHERS):
        pieces, sources = stock.count(label)
        print(f"{label}: {pieces} pieces of {sources} sources")
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / "rooms").mkdir(parents=True, exist_ok=True)
    quiet = Kind("truth", "ambience", None, False)
    truth = [(f"truth-{number:02d}", quiet, [arguments.seed, 0, number]) for number in range(arguments.truth)]
    rooms = [(kind.name, kind, [arguments.seed, 1, number]) for number, kind in enumerate(_rooms(arguments.each))]
    _write(folder / "truth", truth, stock)
    _write(folder / "rooms", rooms, stock)
    return 0


def _rooms(each: int) -> list[Kind]:
    kinds = itertools.product(RATIOS_DB, (False, True), range(each))
    backgrounds = itertools.cycle(BACKGROUNDS)
    return [Kind(f"room{ratio:+03.0f}dB-{'overlapping' if overlapping else 'apart'}-{number}", next(backgrounds), ratio,
                 overlapping) for ratio, overlapping, number in kinds]


def _write(folder: Path, wanted: list[tuple[str, Kind, list[int]]], stock: Stock) -> None:
    with (folder / "scenes.csv").open("w", newline="", encoding="utf-8") as scenes, \
            (folder / "placed.csv").open("w", newline="", encoding="utf-8") as placed:
        listed, sounds = csv.writer(scenes, lineterminator="\n"), csv.writer(placed, lineterminator="\n")
        listed.writerow(["scene", "seed", "background", "ratio_db", "overlapping", "behind"])
        sounds.writerow(["scene", "onset", "offset", "label", "path", "source_onset", "gain_db"])
        for name, kind, seed in wanted:
            rng = np.random.default_rng(seed)
            scene = truth_scene(stock, rng) if kind.ratio_db is None else room_scene(stock, kind, rng)
            _write_scene(folder / name, scene)
            listed.writerow([name, "/".join(map(str, seed)), kind.background, "" if kind.ratio_db is None else kind.ratio_db,
                             int(kind.overlapping), ";".join(scene.behind)])
            sounds.writerows([name, f"{each.onset / RATE:.4f}", f"{each.offset / RATE:.4f}", each.label, each.path,
                              f"{each.source_onset / RATE:.4f}", each.gain_db] for each in scene.placed)
    print(f"{folder}: {len(wanted)} scenes")


def _write_scene(stem: Path, scene: Scene) -> None:
    with wave.open(str(stem.with_name(stem.name + ".wav")), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(scene.samples.astype("<i2").tobytes())
    lines = [f"{each.onset / RATE:.4f}\t{each.offset / RATE:.4f}\t{each.label}\n" for each in scene.placed]
    stem.with_name(stem.name + ".txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
