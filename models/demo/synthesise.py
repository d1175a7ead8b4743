"""Write the bundled scenes, models/demo/*.wav, and what should be heard in them, expected.json.

    python models/demo/synthesise.py [--out FOLDER]

Every sound is made here, from physics (hands.py, keyboard.py, machines.py) or by espeak-ng, and placed in a room (room.py).
The starter never trained on any of it, and none of its training's generators is used. Needs numpy, sox and espeak-ng.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hands import hand_clap
from keyboard import typing
from machines import fan, footstep, siren, smoke_alarm
from room import RATE, Room, heard, quiet_room

HERE = Path(__file__).resolve().parent
Samples = npt.NDArray[np.float64]
Place = tuple[float, float, float]

EAR: Place = (2.6, 2.2, 0.9)
SENTENCE = "Good morning. The kettle is on and the paper has come so take your time and have a seat by the window."


@dataclass(frozen=True)
class Sound:
    """One sound in a scene: when, what, where, how loud, and the target that should hear it (none: it must not)."""

    start_seconds: float
    dry: Samples
    place: Place
    peak_dbfs: float
    target: str | None = None


def clap_scene() -> list[Sound]:
    """Four claps, seconds apart, from hollow to flat, near and far."""
    hands = [(1.5, 11, 0.6, -8.0), (5.0, 12, 0.3, -5.0), (8.5, 14, 0.8, -9.0), (12.0, 15, 0.5, -12.0)]
    return [
        Sound(start, hand_clap(seed, cupped), (1.7, 1.6, 1.3), peak, "hand_clap") for start, seed, cupped, peak in hands
    ]


def typing_scene() -> list[Sound]:
    """Seven seconds of typing on a desk near the microphone."""
    return [Sound(2.0, typing(7.0, 38), (2.0, 1.6, 0.75), -10.0, "typing")]


def voice_scene() -> list[Sound]:
    """Somebody speaks: nothing that claps or types."""
    return [Sound(1.0, spoken(SENTENCE), (1.5, 1.5, 1.6), -8.0)]


def steps_scene() -> list[Sound]:
    """Somebody walks past a fan: nothing at all to report."""
    steps = [Sound(1.2 + 0.62 * n, footstep(40 + n), (0.8 + 0.3 * n, 1.2, 0.05), -16.0) for n in range(8)]
    return [Sound(0.3, fan(7.2, 9), (0.5, 3.0, 0.3), -28.0), *steps]


def siren_scene() -> list[Sound]:
    """A siren, yelping."""
    return [Sound(1.5, siren(7.0), (0.6, 0.5, 1.8), -12.0, "siren")]


def alarm_scene() -> list[Sound]:
    """A smoke alarm at the ceiling: two cycles, as many as it takes."""
    return [Sound(0.7, smoke_alarm(2), (1.6, 2.0, 2.3), -14.0, "smoke_alarm")]


LIVING_ROOM = Room(reflection=0.4, diffuse=0.004)
STUDY = Room(reflection=0.5, diffuse=0.015)
SCENES = {
    "claps": (clap_scene, 15.0, LIVING_ROOM),
    "typing": (typing_scene, 11.5, STUDY),
    "voice": (voice_scene, 9.0, LIVING_ROOM),
    "steps": (steps_scene, 8.0, LIVING_ROOM),
    "siren": (siren_scene, 10.5, STUDY),
    "alarm": (alarm_scene, 8.0, STUDY),
}


def spoken(text: str) -> Samples:
    """Speech from espeak-ng through sox: float64 (n,) at 16 kHz, peak 1."""
    voice = subprocess.run(
        ["espeak-ng", "-v", "en-us", "-s", "155", "-p", "40", "--stdout", text], capture_output=True, check=True
    )
    convert = ["sox", "-D", "-t", "wav", "-", "-t", "wav", "-b", "16", "-c", "1", "-"]
    with wave.open(
        io.BytesIO(
            subprocess.run([*convert, "rate", str(RATE)], input=voice.stdout, capture_output=True, check=True).stdout
        )
    ) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    return samples / np.abs(samples).max()


def render(sounds: list[Sound], seconds: float, room: Room, seed: int) -> npt.NDArray[np.int16]:
    """The scene as the microphone hears it: int16 (n,)."""
    scene = quiet_room(seconds, -60.0, seed)
    for number, sound in enumerate(sounds):
        response = room.response(sound.place, EAR, seed + 100 + number)
        start = round(sound.start_seconds * RATE)
        dry = np.zeros(min(len(sound.dry) + len(response), len(scene) - start))
        dry[: len(sound.dry)] = sound.dry[: len(dry)]
        wet = heard(dry, response)
        scene[start : start + len(wet)] += wet * 10.0 ** (sound.peak_dbfs / 20.0) / np.abs(wet).max()
    return np.clip(np.round(scene * 32_768.0), -32_768, 32_767).astype("<i2")


def expected(file: str, sounds: list[Sound]) -> dict[str, object]:
    """The scene's entry in expected.json."""
    events = [
        {
            "target": sound.target,
            "start_seconds": sound.start_seconds,
            "end_seconds": round(sound.start_seconds + len(sound.dry) / RATE, 2),
        }
        for sound in sounds
        if sound.target
    ]
    return {"file": file, "events": events}


def write_all(folder: Path) -> None:
    """Write every scene and expected.json into the folder."""
    entries = []
    for number, (name, (make, seconds, room)) in enumerate(SCENES.items()):
        sounds = make()
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(render(sounds, seconds, room, 7 + number).tobytes())
        entries.append(expected(f"{name}.wav", sounds))
    (folder / "expected.json").write_text(json.dumps({"scenes": entries}, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Arguments in, files out."""
    parser = argparse.ArgumentParser(description="Write the bundled scenes.")
    parser.add_argument("--out", type=Path, default=HERE)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write_all(folder)


if __name__ == "__main__":
    main()
