"""How the targets stand after a patch, for whoever watches. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.decision.calibration import Heard
from edge.decision.targets import Target
from edge.stream import TargetHearing


class Standing(Protocol):
    """A sound's detector, as far as it is watched."""

    @property
    def target(self) -> Target:
        """What it hears."""

    @property
    def running(self) -> bool:
        """An event goes on."""

    @property
    def refused(self) -> str:
        """Why what was heard is no event."""


def standing(sounds: Sequence[Standing], heard: Sequence[Heard | None]) -> list[TargetHearing]:
    """Each sound by what was heard of it, in order."""
    return [TargetHearing(sound.target.name, one.label if one else "", one.probability if one else None,
                          sound.target.threshold, sound.running,
                          sound.refused if one and one.probability >= sound.target.threshold / 2 else "")
            for sound, one in zip(sounds, heard, strict=True)]
