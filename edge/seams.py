"""The seams of the appliance: what the listener asks of a source of sound, of a sink of events, and of who looks on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from edge.stream import Bands, Block, Event, Hearing, Sound


class Source(Protocol):
    """Where blocks come from: a microphone, a recording, a command."""

    @property
    def live(self) -> bool:
        """True where sound comes in real time and blocks must be dated as they arrive."""

    @property
    def state(self) -> str:
        """"ok", or in a few words what is wrong ("no microphone matches 'USB'"), for health."""

    @property
    def trouble(self) -> str:
        """In one word for programs, for health: "" where all is well or a room is quiet, else opening, missing, hanging,
        silent (all zeros), stuck (one value), clipping, offset or overflowing."""

    @property
    def hangs(self) -> bool:
        """Whether its own thread shows no sign of life: only a new start helps. From any thread."""

    @property
    def waiting_seconds(self) -> float:
        """Seconds of sound that have come and that `blocks` has not given yet. Asked only of a live source."""

    def hurry(self, seconds: float) -> None:
        """The next block had better hold so much sound and no more, for a look waits for it; infinite: a whole block. For a
        live source, which heeds it as far as it can; the listener says it after each block."""

    def blocks(self) -> Iterator[Block | None]:
        """Blocks in order; None at least once a second while nothing arrives; ends with the recording or after close().

        Raises SourceError where waiting cannot help (a file that is not there).
        """

    def close(self) -> None:
        """Stop and give the device back. Safe from another thread or a signal handler's, and twice."""


class Sink(Protocol):
    """Where events go. No method of a sink may make the listener wait. A sink that was stopped may be started
    again."""

    @property
    def name(self) -> str:
        """For log lines and health: "mqtt", "gpio", "log". A thread of the sink's own has this name too."""

    @property
    def state(self) -> str:
        """"ok", or in a few words what is wrong, for health; from any thread."""

    @property
    def waiting_messages(self) -> int:
        """Messages that the broker has not acknowledged; 0 for a sink without a broker."""

    def start(self) -> None:
        """Take the device or begin to connect. Raises SinkError where waiting cannot help."""

    def event(self, event: Event) -> None:
        """Take one event (phase start or end); return at once."""

    def health(self, health: Mapping[str, object]) -> None:
        """Take the newest health, about once a `health_seconds`; return at once."""

    def stop(self) -> None:
        """Leave everything in its safe state and give it back. Safe twice."""


class Watcher(Protocol):
    """Whoever wants to see what is heard, hop by hop. No method of a watcher may make the listener wait."""

    @property
    def watching(self) -> bool:
        """Whether anybody looks. While nobody does, no `Hearing` is made."""

    def hearing(self, hearing: Hearing) -> None:
        """What is heard after the newest patch; return at once."""

    @property
    def wants_bands(self) -> bool:
        """Whether anybody wants the bands. While nobody does, no `Bands` are made."""

    def bands(self, bands: Bands) -> None:
        """The newest rows; return at once."""

    @property
    def wants_sound(self) -> bool:
        """Whether anybody wants the sound. While nobody does, no `Sound` is made."""

    def sound(self, sound: Sound) -> None:
        """What the newest block gave; return at once."""
