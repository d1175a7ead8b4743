"""Split the sources that only measure into two halves: one to choose by, one to report by. Writes halves.csv.

    python models/scenes/halves.py

A source lies in one half with all that it recorded, whatever the class. Music and rooms are split by
recording: eval/ has one song, in four pieces, and few measured rooms. The rule: a seed deals every source by
a digest of its name. Of the first 20,000 seeds the one is taken whose halves are most alike in sources of
each class and in seconds of each background. Two sources report by decree: the only one of breaking glass,
and the one with most snaps. So nothing is chosen for glass by scenes. What a model makes of a source plays
no part.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "starter"))

from clips import Clip, measuring_clips, training_clips

LISTED = Path(__file__).resolve().parent / "halves.csv"
HALVES = ("choose", "report")
SEEDS = 20_000
BY_RECORDING = ("neg_music", "rir")
REPORTS = ("giulbia/baby_cry_detection", "Gotta003/Nano-33-On-Inference-Keyword-Spotting")
DOUBTFUL = {"thoaidn05/Sound-Classify": ("hand_clap", "finger_snap", "door_knock")}
"""Sources whose recordings of these classes lack the attack: a trigger cut them."""
HALLS = ("csteinmetz1-pymixconsole__hall.flac", "plcrodrigues-ImpulseResponse-LausanneCathedral__air_lausanne.flac")
"""Responses that last over 2.5 s: no room of a house."""
TARGETS = ("hand_clap", "finger_snap", "door_knock", "glass_break")
HARD = ("finger_snap", "door_knock", "keyboard_key", "neg_tap", "neg_notclap", "door_slam", "drawer", "keys_drop",
        "page_turn", "mouse_click", "neg_drum", "neg_glass_clink", "cough", "glass_break", "footsteps")
BEDS = {"talk": ("neg_speech",), "music": ("neg_music",), "ambience": ("neg_ambience",),
        "machines": ("neg_appliance", "water_running", "helicopter", "chainsaw")}
"""Classes of the recordings that sounds are laid over, by kind of background."""
ALONE = {"talk": (*BEDS["talk"], "laughter", "baby_cry"), "music": BEDS["music"],
         "ambience": (*BEDS["ambience"], "rain", "sea_waves", "fire_crackling", "clock_tick", "church_bells"),
         "machines": BEDS["machines"],
         "other": ("neg_misc", "snoring", "siren", "dog_bark", "rooster", "sneeze", "phone_ring", "alarm_beep",
                   "alarm_clock", "smoke_alarm", "doorbell")}
"""Classes of the recordings that are heard with no sound laid over them."""
EVEN = {"hand_clap": 4.0, "finger_snap": 4.0, "keyboard_typing": 2.0, "rir": 2.0}
"""What an uneven number of sources costs, by class; others cost 1."""


def usable(clip: Clip) -> bool:
    """True unless the source's recordings of this class are doubtful, or a room is a hall."""
    return clip.label not in DOUBTFUL.get(clip.source, ()) and not clip.path.endswith(HALLS)


def unit(clip: Clip) -> str:
    """What lies in one half as a whole: the clip's source (of ESC-10 its Freesound number), or the clip itself."""
    return clip.path if clip.label in BY_RECORDING else clip.group


@lru_cache(maxsize=1)
def listed() -> dict[str, str]:
    """Half of each unit, from halves.csv."""
    with LISTED.open(newline="", encoding="utf-8") as file:
        return {row["unit"]: row["half"] for row in csv.DictReader(file)}


def clips_of(half: str, labels: Iterable[str]) -> list[Clip]:
    """Clips of a half and of these classes that are not doubtful."""
    wanted = frozenset(labels)
    return [clip for clip in candidates() if clip.label in wanted and half_of(clip) == half]


def half_of(clip: Clip) -> str:
    """The half that halves.csv says; for what came later, the half that the first seed deals."""
    name = unit(clip)
    return listed().get(name) or deal(0, [name])[name]


def candidates() -> list[Clip]:
    """Clips that measure. A source that also trains gives backgrounds only: no sound, and no room."""
    trained = {clip.group for clip in training_clips()}
    backgrounds = {label for labels in ALONE.values() for label in labels}
    return [clip for clip in measuring_clips() if usable(clip) and (clip.label in backgrounds or clip.group not in trained)]


def deal(seed: int, units: Iterable[str]) -> dict[str, str]:
    """Half of each unit by a digest of seed and name."""
    dealt = {name: HALVES[hashlib.sha256(f"{seed} {name}".encode()).digest()[0] % 2] for name in units}
    return dealt | dict.fromkeys((name for name in REPORTS if name in dealt), "report")


def measures(clips: Iterable[Clip]) -> dict[str, dict[str, float]]:
    """What is to be shared evenly, by unit: a one for each class that it has, and its seconds of each kind of background."""
    shares: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for clip in clips:
        shares[clip.label][unit(clip)] = 1.0
        for kinds, name in ((BEDS, "over"), (ALONE, "alone")):
            for kind, labels in kinds.items():
                if clip.label in labels:
                    shares[f"{name} {kind}"][unit(clip)] += clip.seconds
    return {kind: dict(own) for kind, own in shares.items() if len(own) > 1}


def most_even(shares: Mapping[str, Mapping[str, float]], units: list[str], seeds: int = SEEDS) -> dict[str, str]:
    """The deal whose halves differ least: sum over what is shared of the squared difference, as a share of the whole."""
    table = np.array([[own.get(name, 0.0) for name in units] for own in shares.values()])
    table /= table.sum(axis=1, keepdims=True)
    weights = np.array([EVEN.get(kind, 1.0) for kind in shares])
    costs = []
    for seed in range(seeds):
        dealt = deal(seed, units)
        sides = np.array([1.0 if dealt[name] == "report" else -1.0 for name in units])
        costs.append(float((weights * (table @ sides) ** 2).sum()))
    return deal(int(np.argmin(costs)), units)


def main() -> None:
    """Deal, write, and print what each half holds."""
    clips = candidates()
    units = sorted({unit(clip) for clip in clips})
    shares = measures(clips)
    dealt = most_even(shares, units)
    with LISTED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["unit", "half"])
        writer.writerows(sorted(dealt.items()))
    for kind, own in sorted(shares.items()):
        print(kind, {half: round(sum(value for name, value in own.items() if dealt[name] == half), 1) for half in HALVES})


if __name__ == "__main__":
    main()
