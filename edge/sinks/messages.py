"""The messages that are sent of events, and what each says at the moment when it is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from edge.clock import Clock
from edge.stream import Event, Phase
from edge.topics import SCHEMA, check_level, encode, event_payload, rfc3339

LATE_SECONDS = 5.0
"""A message that is sent more than so many seconds after what it tells happened is marked `late`."""

FARTHEST_SECONDS = 1e10
"""No sound lasts so long, and no board runs so long: 300 years."""
OVERHEAD_BYTES = 200
"""Bytes that are counted for a message beside its body, for what it takes in memory and in the file."""


@dataclass(frozen=True, slots=True)
class Message:
    """One phase of an event, to be sent. body: its payload (JSON), but for what is only known when it is
    sent.

    heard_at: monotonic seconds of the event's start, None where unknown; boot: that clock's boot.
    """

    sequence: int
    target: str
    phase: Phase
    body: str
    heard_at: float | None = None
    boot: str = ""

    @property
    def size(self) -> int:
        """Bytes that are counted for this message."""
        return len(self.body.encode()) + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True, order=True)
class Dropped:
    """A range of sequence numbers, ends included, whose messages will not be sent (again)."""

    first: int
    last: int


def is_sound(message: Message) -> bool:
    """Whether a message that was read from a file can be sent: a damaged file may hold only a part of it."""
    if not all(isinstance(each, str) for each in (message.target, message.phase, message.body)):
        return False
    try:
        payload = json.loads(message.body)
        check_level(message.target, thing="target")
        for name in ("started_at", "ended_at"):
            if payload[name] is not None or name == "started_at":
                datetime.fromisoformat(payload[name])
        return bool({key: payload[key] for key in ("sequence", "target", "phase")}
                    == {"sequence": message.sequence, "target": message.target, "phase": message.phase}
                    and _is_time(payload["duration_seconds"])
                    and isinstance(payload["clock_synchronised"], bool)
                    and _is_time(message.heard_at)
                    and isinstance(message.boot, str) and message.boot.isprintable()  # zeros: the row was cut
                    and "\N{REPLACEMENT CHARACTER}" not in message.body)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_time(seconds: object) -> bool:
    """Whether these are seconds that a date can be moved by, or None."""
    return seconds is None or (isinstance(seconds, float | int) and abs(seconds) < FARTHEST_SECONDS)


def message_of(event: Event, *, device: str, boot: str) -> Message:
    """The message of an event's phase. device: its name; boot: the boot in which the event was heard."""
    body = encode(event_payload(event, device=device, late=False))
    return Message(event.sequence, event.target, event.phase, body, event.heard_at, boot)


def payload_of(message: Message, clock: Clock) -> str:
    """The payload (JSON) to send now: with `late`, and with dates corrected where the clock was set since.

    An event of this boot from before the clock was set is dated by the time that has passed since.
    """
    payload = json.loads(message.body)
    started = datetime.fromisoformat(payload["started_at"])
    lasted = payload["duration_seconds"] or 0.0
    known = message.heard_at is not None and message.boot == clock.boot
    if known and not payload["clock_synchronised"] and clock.synchronised():
        started = datetime.fromtimestamp(clock.utc() - clock.monotonic() + (message.heard_at or 0.0), UTC)
        payload |= {"clock_synchronised": True, "started_at": rfc3339(started)}
        if payload["ended_at"] is not None:
            payload["ended_at"] = rfc3339(started + timedelta(seconds=lasted))
    # By the monotonic clock where that is possible: UTC may have been set since.
    age = clock.monotonic() - (message.heard_at or 0.0) if known else clock.utc() - started.timestamp()
    return encode(payload | {"late": age - lasted > LATE_SECONDS})


def dropped_payload(dropped: Dropped, *, device: str) -> str:
    """The payload (JSON) that tells which sequence numbers will not come."""
    return encode({"schema": SCHEMA, "device": device, "first": dropped.first, "last": dropped.last})
