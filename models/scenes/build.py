"""Build scenes with known truth from recordings that train nothing: WAV, annotations, and a list of what is in each.

    python models/scenes/build.py FOLDER
    python -m models.measuring scenes FOLDER/truth
    python -m models.measuring scenes FOLDER/rooms
    python -m models.measuring onsets FOLDER/onsets/report
    python -m models.measuring lasting FOLDER/lasting/report

`truth`: claps, pairs, snaps and knocks on a quiet background. `rooms`: 60 scenes of a minute: sounds 24, 12,
6, 0 and -6 dB over (or under) ambience, appliances, music or speech, one after another or overlapping.
`onsets/choose` and `onsets/report`: single sounds of the two halves of the sources (halves.py), in the quiet
and with their loudest 20 ms 30, 20 and 10 dB over talk, music, ambience and machines; hard sounds at the same
ratios; and each background alone. `lasting/choose` and `lasting/report`: typing, sirens, water, beeps and
coughing in the quiet and at 20 and 10 dB.

Beside each WAV lies a .txt of tab-separated onset, offset (seconds) and label; scenes.csv says seed and kind of
each scene, placed.csv where each sound comes from. The same seed gives the same samples. Needs the recordings
(EDGE_AUDIO_SHARED, default ../shared), numpy and soundfile. FOLDER must lie outside the repository: these
recordings may not be published.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import wave
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "starter"))

from clips import REPOSITORY
from cut import RATE
from halves import HALVES
from lasting_scene import LastingScenes
from onset_scene import OnsetScene, Scenes
from scene import Kind, Scene, room_scene, truth_scene
from stock import BACKGROUNDS, LASTING, OTHERS, SINGLE, Piece, Stock

RATIOS_DB = (12.0, 6.0, 0.0, -6.0, 24.0)  # the scenes of a ratio stay the same when one is added behind
EACH = 6  # scenes of each ratio, overlapping or not
TRUTH = 12
SEED = 20261
SETS = ("truth", "rooms", "onsets", "lasting")


def main() -> int:
    """Arguments in, scenes out; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build scenes with known truth.")
    parser.add_argument("folder", type=Path, help="where they go: outside the repository")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--each", type=int, default=EACH, help="scenes of each ratio, overlapping or not")
    parser.add_argument("--truth", type=int, default=TRUTH, help="scenes on a quiet background")
    parser.add_argument("--set", action="append", choices=SETS, help="build this set (repeatable; default: all)")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if folder == REPOSITORY or REPOSITORY in folder.parents:
        print(f"build.py: {arguments.folder}: found a folder of the repository; wanted one outside it", file=sys.stderr)
        return 2
    wanted = arguments.set or SETS
    if "onsets" in wanted:
        for half in HALVES:
            single = Scenes(half, arguments.seed)
            _write_listed(folder / "onsets" / half, single.impulses.pieces, single.all())
    if "lasting" in wanted:
        for half in HALVES:
            lasting = LastingScenes(half, arguments.seed)
            _write_listed(folder / "lasting" / half, lasting.pieces, lasting.all())
    if {"truth", "rooms"} & set(wanted):
        _build_clips(folder, arguments.seed, arguments.truth, arguments.each)
    return 0


def _build_clips(folder: Path, seed: int, count: int, each: int) -> None:
    """The sets truth and rooms."""
    stock = Stock()
    for label in (*SINGLE, *LASTING, *OTHERS):
        pieces, sources = stock.count(label)
        print(f"{label}: {pieces} pieces of {sources} sources")
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / "rooms").mkdir(parents=True, exist_ok=True)
    quiet = Kind("truth", "ambience", None, False)
    truth = [(f"truth-{number:02d}", quiet, [seed, 0, number]) for number in range(count)]
    rooms = [(kind.name, kind, [seed, 1, number]) for number, kind in enumerate(_rooms(each))]
    _write(folder / "truth", truth, stock)
    _write(folder / "rooms", rooms, stock)


def _write_listed(folder: Path, pieces: Mapping[str, Mapping[str, Sequence[Piece]]], scenes: Iterator[OnsetScene]) -> None:
    """Scenes with the columns of onset_scene.py."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, sources in pieces.items():
        print(f"{folder.name}: {label}: {sum(map(len, sources.values()))} pieces of {len(sources)} sources")
    with (folder / "scenes.csv").open("w", newline="", encoding="utf-8") as listed, \
            (folder / "placed.csv").open("w", newline="", encoding="utf-8") as sounds:
        scene_rows, sound_rows = csv.writer(listed, lineterminator="\n"), csv.writer(sounds, lineterminator="\n")
        scene_rows.writerow(["scene", "sounds", "background", "ratio_db", "background_dbfs", "seconds", "behind"])
        sound_rows.writerow(["scene", "onset", "offset", "label", "source", "ratio_db", "background", "room", "path",
                             "source_onset", "gain_db"])
        for one in scenes:
            _write_scene(folder / one.name, one.scene)
            ratio = "" if one.ratio_db is None else f"{one.ratio_db:g}"
            scene_rows.writerow([one.name, one.sounds, one.background, ratio, f"{one.background_dbfs:.2f}",
                                 f"{len(one.scene.samples) / RATE:.3f}", ";".join(one.scene.behind)])
            sound_rows.writerows([one.name, f"{each.onset / RATE:.4f}", f"{each.offset / RATE:.4f}", each.label, each.source,
                                  ratio, each.background, each.room, each.path, f"{each.source_onset / RATE:.4f}",
                                  each.gain_db] for each in one.scene.placed)


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
