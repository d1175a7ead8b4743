"""Smoke and CO alarms by their rhythm: which recordings raise one, and how many alarms are heard in rooms and noise.

    python tests/decision/measure_alarm.py [--scenes 60] [--split eval] [--decibels 0]

First every recording of train/ and eval/ by itself (an hour takes some five seconds of CPU). Then the one cycle that a
recorded alarm has, over and over. Then scenes: alarms by formula, of a pitch and times of their own (within a quarter of
the standard's), through a measured room of the split, over a recorded background of the split; decibels: the alarm's RMS
while it beeps over the background's.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.decision.alarm import Alarms
from edge.decision.detection import Detection
from edge.decision.rhythm import RHYTHMS, T3, T4, Rhythm
from edge.decision.targets import RhythmTarget
from edge.features.logmel import LogMel
from edge.sources.recording import open_recording
from edge.stream import FRAME_SAMPLES, FRAME_STEP, SAMPLE_RATE
from tests.alarm_sounds import grouped, pcm, sounding
from tests.conftest import shared_folder

HOP = 24
"""Rows that are handed over at once: a hop of 0.24 s."""
WITHIN = 12.0
"""Seconds from the first beep in which an alarm is to be heard."""
CYCLES = {"first_alert_7010b": (15.70, 19.75), "first_alert_sa511_p01": (24.85, 28.85)}
"""Where the one whole cycle lies that a recording of smoke_alarm has, in seconds. The third has no alarm in it."""
BACKGROUNDS = {"room alone": "", "ambience": "neg_ambience", "speech": "neg_speech", "music": "neg_music",
               "appliances": "neg_appliance"}
ALARMS = (("T3, 2.6 to 3.9 kHz", T3, False), ("T3, 520 Hz", T3, True), ("T4, 2.6 to 3.9 kHz", T4, False))
SECONDS = 24.0


def samples_of(path: Path) -> NDArray[np.int16]:
    """A recording of one channel at 16 kHz, as the appliance reads it."""
    with open_recording(path) as recording:
        return np.concatenate([block.samples for block in recording.blocks() if block is not None])


def rows_of(sound: NDArray[np.int16]) -> NDArray[np.float32]:
    """Log-mel rows float32 `(k, 64)`."""
    return LogMel().rows(sliding_window_view(sound, FRAME_SAMPLES)[::FRAME_STEP])


def listening(threshold: float) -> Alarms:
    """Both alarms, from their beginning."""
    return Alarms([RhythmTarget(name, rhythm, threshold, rhythm.release, SAMPLE_RATE // 2)
                   for name, rhythm in RHYTHMS.items()], [])


def milliseconds(paths: list[Path]) -> float:
    """CPU milliseconds for each second of these recordings, at a hop of 0.24 s; the least of three rounds."""
    rows, rounds = np.concatenate([rows_of(samples_of(path)) for path in paths]), []
    for _ in range(3):
        alarms, begun = listening(0.5), time.process_time()
        for start in range(0, len(rows), HOP):
            alarms.push(rows[start: start + HOP], FRAME_STEP * start)
        rounds.append(time.process_time() - begun)
    return min(rounds) * 100_000.0 / len(rows)


def raised(sound: NDArray[np.int16], threshold: float = 0.5) -> list[tuple[Detection, float]]:
    """Starts of events, each with the second in which it is told."""
    if len(sound) < FRAME_SAMPLES:
        return []
    rows = rows_of(sound)
    alarms = listening(threshold)
    found = []
    for start in range(0, len(rows), HOP):
        told = (start + HOP) * FRAME_STEP / SAMPLE_RATE
        found += [(each, told) for each in alarms.push(rows[start: start + HOP], FRAME_STEP * start)]
    return [(each, told) for each, told in found if each.phase == "start"]


def looped(path: Path, cycles: int = 4) -> NDArray[np.int16]:
    """The one cycle of a recorded alarm, so many times, after a second and a half of silence."""
    begin, end = next(span for name, span in CYCLES.items() if name in path.name)
    sound = samples_of(path)
    cycle = sound[round(begin * SAMPLE_RATE): round(end * SAMPLE_RATE)]
    return np.concatenate((np.zeros(SAMPLE_RATE * 3 // 2, np.int16), *[cycle] * cycles))


def scene(rhythm: Rhythm, chance: np.random.Generator, room: NDArray[np.float64], background: NDArray[np.float64] | None,
          decibels: float, *, low: bool) -> tuple[NDArray[np.int16], float]:
    """An alarm of a pitch and times of its own in a room; and the second of its first beep."""
    first = float(chance.uniform(0.3, 3.0))
    pulse, gap, pause = chance.uniform(0.76, 1.24, 3) * (rhythm.pulse, rhythm.gap, rhythm.pause) / SAMPLE_RATE
    pulses = grouped(rhythm.pulses, 7, first, pulse, gap, pause)
    dry = sounding(pulses, SECONDS, hertz=520.0 if low else float(chance.uniform(2_550.0, 3_950.0)), square=low)
    size = len(dry) + len(room)
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(room, size), size)[: len(dry)]
    wet /= np.sqrt(np.mean(wet[np.abs(dry) > 0.01] ** 2))
    bed = background if background is not None else 0.01 * chance.normal(size=len(wet))
    return pcm(0.08 * (wet * 10.0 ** (decibels / 20.0) + bed), noise=0.0), first


def beds(paths: list[Path], chance: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Stretches of SECONDS, of recordings one after another, each brought to an RMS of 1."""
    while True:
        parts: list[NDArray[np.float64]] = []
        while sum(map(len, parts)) < SECONDS * SAMPLE_RATE:
            sound = samples_of(paths[chance.integers(len(paths))]).astype(np.float64)
            parts.append(sound / max(np.sqrt(np.mean(sound**2)), 1.0))
        yield np.concatenate(parts)[: round(SECONDS * SAMPLE_RATE)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=60, help="scenes for each rhythm and background (60)")
    parser.add_argument("--split", default="eval", choices=("eval", "train"))
    parser.add_argument("--decibels", type=float, default=0.0)
    options = parser.parse_args()
    data = shared_folder() / "data"
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        manifest = list(csv.DictReader(file))
    sounds = [row for row in manifest if row["class"] != "rir"]
    begun, seconds = time.process_time(), 0.0
    wrong: Counter[str] = Counter()
    for row in sounds:
        sound = samples_of(data / row["path"])
        seconds += len(sound) / SAMPLE_RATE
        for each, _ in raised(sound):
            print(f"{row['path']}: {each.target} at {each.start / SAMPLE_RATE:.1f} s, probability {each.probability:.2f}")
            wrong[row["class"]] += 1
    spent = time.process_time() - begun
    print(f"{len(sounds)} recordings, {seconds / 3600:.2f} h: {wrong.total()} events; {spent:.0f} s of CPU")
    for row in sounds:
        if row["class"] == "smoke_alarm" and any(name in row["path"] for name in CYCLES):
            found = raised(looped(data / row["path"]))
            print(f"{row['path']}, its cycle looped: " + ", ".join(
                f"{each.target} told {told - each.start / SAMPLE_RATE:.1f} s after its first beep" for each, told in found))
    by_class = defaultdict(list)
    for row in manifest:
        if row["split"] == options.split:
            by_class[row["class"]].append(data / row["path"])
    for kind in ("neg_speech", "neg_music", "neg_ambience"):
        print(f"{kind}: {milliseconds(by_class[kind][:20]):.2f} ms of CPU for each second")
    print("| alarm | " + " | ".join(BACKGROUNDS) + " |\n|" + "---|" * (len(BACKGROUNDS) + 1))
    for title, rhythm, low in ALARMS:
        shares = []
        for kind in BACKGROUNDS.values():
            chance = np.random.default_rng(11)
            bed = beds(by_class[kind], chance) if kind else None
            heard = 0
            for _ in range(options.scenes):
                room = samples_of(by_class["rir"][chance.integers(len(by_class["rir"]))]).astype(np.float64)
                sound, first = scene(rhythm, chance, room, next(bed) if bed else None, options.decibels, low=low)
                heard += any(RHYTHMS[each.target] is rhythm and told - first <= WITHIN for each, told in raised(sound))
            shares.append(f"{heard / options.scenes:.2f}")
        print(f"| {title} | " + " | ".join(shares) + " |", flush=True)


if __name__ == "__main__":
    main()
