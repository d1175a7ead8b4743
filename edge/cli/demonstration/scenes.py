"""The bundled scenes and what should be heard in them (models/demo/expected.json)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TOLERANCE_SECONDS = 1.0
"""An event counts if it starts this near to its truth: a patch is 0.975 s long."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A sound in a scene, from here to there, in seconds."""

    target: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that was received, and when it started, in seconds from the scene's start."""

    target: str
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One recording and the events that it should raise, and no others."""

    file: Path
    events: tuple[Expected, ...]

    def compare(self, heard: Sequence[Heard]) -> tuple[tuple[Expected, ...], tuple[Heard, ...]]:
        """The expected events that were missed, and the heard ones that were not expected: (missed, extra).

        Each expected event takes the nearest heard one of its target.
        """
        left = list(heard)
        missed = []
        for expected in self.events:
            near = [event for event in left if event.target == expected.target
                    and abs(event.start_seconds - expected.start_seconds) <= TOLERANCE_SECONDS]
            if near:
                left.remove(min(near, key=lambda event: abs(event.start_seconds - expected.start_seconds)))
            else:
                missed.append(expected)
        return tuple(missed), tuple(left)


def load_scenes(folder: Path) -> tuple[Scene, ...]:
    """The scenes that expected.json in `folder` lists."""
    listed = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return tuple(Scene(folder / scene["file"], tuple(
        Expected(event["target"], event["start_seconds"], event["end_seconds"]) for event in scene["events"]))
        for scene in listed["scenes"])
