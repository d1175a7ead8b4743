"""What windows are made of: single sounds cut from training clips, beds, and rooms. Split `train` only.

A cut is found by the appliance's own onset detector. It begins 20 ms before the onset, and ends where the next onset is,
or after 0.8 s.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bands import band_rows
from clips import SAMPLE_RATE, Clip, read_clip, training_clips
from scipy.signal import butter, sosfilt

from edge.decision.onset import Onset, OnsetDetector

Floats = npt.NDArray[np.float32]
LABELS = ("hand_clap", "finger_snap", "door_knock", "key_press", "glass_break", "tap", "other")
LABEL_OF = {
    "hand_clap": "hand_clap", "finger_snap": "finger_snap", "door_knock": "door_knock", "keyboard_key": "key_press",
    "keyboard_typing": "key_press", "typewriter": "key_press", "glass_break": "glass_break", "neg_tap": "tap",
    "mouse_click": "tap", "neg_click": "tap",
}
"""What a class of clips is called; all other classes of SINGLE are "other"."""
SINGLE = (
    *LABEL_OF, "neg_impact", "neg_glass_clink", "footsteps", "neg_stomp", "neg_body_slap", "door_slam", "door_other",
    "neg_drum", "neg_keys_coins", "clock_tick", "fire_crackling", "neg_misc", "dog_bark", "cough", "sneeze", "neg_grunt",
    "alarm_beep", "doorbell",
)
"""Classes whose clips hold single sounds."""
CROWD = "applause"
"""Many hands at once: the onsets that stand out of it are claps."""
BEDS = {
    "talk": ("neg_speech", "neg_babble", "laughter", "baby_cry", "scream"),
    "music": ("neg_music", "neg_tone", "church_bells", "phone_ring", "whistle"),
    "ambience": ("neg_ambience", "rain", "sea_waves", "fire_crackling", "helicopter"),
    "machines": ("neg_appliance", "neg_noise", "chainsaw", "water_running", "toilet_flush", "siren", "snoring"),
    "animals": ("dog_bark", "rooster", "sneeze"),
}
"""What sounds behind: kinds, and the classes of each. No clip of these holds a clap."""
LEAD, LONGEST = 320, 12_800
"""Samples of a cut before its onset, and at most from its onset on."""
STANDS_OUT_DB = 12.0
"""An onset of a single sound rises by so much over what lies before it."""
CROWD_DB = 5.0
"""The same in applause, where other hands are the floor."""
WITHIN_DB = 15.0
"""Of one clip's onsets, those so much weaker than the strongest are left out."""
_HIGH_PASS = butter(2, 60.0, "high", fs=SAMPLE_RATE, output="sos")


@dataclass(frozen=True)
class Single:
    """One sound: its label, the clips it is not independent of, and its samples (the onset lies LEAD samples in)."""

    label: str
    group: str
    samples: Floats


def onsets_of(samples: Floats) -> list[Onset]:
    """What the appliance's detector finds in sound, float32 `(n,)`."""
    return OnsetDetector().push(band_rows(samples), 0)


def without_offset(samples: Floats) -> Floats:
    """The same above 60 Hz: some recorders add a constant."""
    return np.asarray(sosfilt(_HIGH_PASS, samples), np.float32)


def single_sounds(clip: Clip) -> list[Single]:
    """The single sounds of a clip, each cut out."""
    quiet = np.zeros(SAMPLE_RATE // 2, np.float32)
    samples = np.concatenate((quiet, without_offset(read_clip(clip)), quiet))
    crowd = clip.label == CROWD
    found = [onset for onset in onsets_of(samples) if not onset.echo]
    if not found:
        return []
    strongest = max(onset.level_db for onset in found)
    ends = [onset.position for onset in found[1:]] + [len(samples)]
    cuts = []
    for onset, end in zip(found, ends, strict=True):
        rise = onset.level_db - onset.before_db
        if onset.level_db < strongest - WITHIN_DB or rise < (CROWD_DB if crowd else STANDS_OUT_DB):
            continue
        start = onset.position - LEAD
        piece = samples[start: min(end - LEAD, onset.position + LONGEST)].copy()
        if len(piece) < 2 * LEAD:
            continue
        piece[: LEAD // 2] *= np.linspace(0.0, 1.0, LEAD // 2, dtype=np.float32)
        fall = min(1_600, len(piece) // 2)
        piece[-fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
        label = "hand_clap" if crowd else LABEL_OF.get(clip.label, clip.label if clip.label in LABELS else "other")
        cuts.append(Single(label, f"{clip.label}/{clip.group}", piece / np.float32(max(np.abs(piece).max(), 1e-5))))
    return cuts


def own_clips(folder: Path) -> list[Clip]:
    """An owner's recordings, a folder for each class. Raises ValueError for a class that nothing here knows."""
    known = {*LABELS, *SINGLE, CROWD, *(name for classes in BEDS.values() for name in classes), "rir"}
    found = []
    for path in sorted(path for kind in ("*/*.wav", "*/*.flac") for path in folder.glob(kind)):
        name = path.parent.name
        if name not in known:
            raise ValueError(f"{path}: found class {name!r}, wanted one of {', '.join(sorted(known))}")
        found.append(Clip(str(path), name, "train", str(folder), path.name, "own", "", "", 0.0))
    if not found:
        raise ValueError(f"{folder}: found no */*.wav and no */*.flac, wanted a folder for each class")
    return found


class Stock:
    """All that windows are drawn from."""

    def __init__(self, recordings: Path | None = None) -> None:
        """recordings: an owner's folder (`own_clips`), used beside the training clips."""
        self.singles: dict[str, dict[str, list[Floats]]] = defaultdict(lambda: defaultdict(list))
        self.crowd: list[Floats] = []
        self.beds: dict[str, dict[str, list[Floats]]] = {kind: defaultdict(list) for kind in BEDS}
        self.rooms: list[Floats] = []
        for clip in [*training_clips(), *(own_clips(recordings) if recordings else [])]:
            if clip.label in (*SINGLE, *LABELS, CROWD):
                for single in single_sounds(clip):
                    if clip.label == CROWD:
                        self.crowd.append(single.samples)
                    else:
                        self.singles[single.label][single.group].append(single.samples)
            for kind, classes in BEDS.items():
                if clip.label in classes:
                    self._lay(kind, clip)
            if clip.label == "rir":
                response = read_clip(clip)
                first = int(np.argmax(np.abs(response)))
                response = response[max(first - 16, 0): first + SAMPLE_RATE]
                self.rooms.append(response / np.float32(np.sqrt(np.sum(response**2))))

    def _lay(self, kind: str, clip: Clip) -> None:
        samples = without_offset(read_clip(clip))
        level = float(np.sqrt(np.mean(samples**2)))
        if len(samples) >= SAMPLE_RATE and level > 1e-4:
            self.beds[kind][clip.label].append((samples / np.float32(level)).astype(np.float16).astype(np.float32))
