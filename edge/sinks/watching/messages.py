"""What a watcher is told: one JSON object and a line break in each message of the socket. Pure;
`tests/sinks/test_sinks_watch_messages.py` pins every name.

Every message has `schema`, `kind` and `at` (UTC, RFC 3339, when it was told; null from a recording):

    about     device, about: version, model, runtime, source, sinks; first of all, and again whenever it changes
    hearing   once a hop: start, end (positions of the patch), level_dbfs, noise_dbfs, gate_open, top, targets
    event     start, end (positions), event: the payload that MQTT carries
    answer    command, request, ok, error, found, wanted, and what the command has to say: to whoever asked
    pins      pins: each pin's name, and whether it is on; where wanted, at once and whenever it changes
    health    health: counters; where wanted, once a second
    bands     position, begins_at, rows, bands, rows_per_second, step_db, offset_db, cells; where wanted, once a hop or more
    sound     position, samples, rate, gap, pcm; where wanted, block by block
    lost      messages: how many this watcher was too slow for
    refused   reason: why this watcher is told nothing
    bye       the appliance stops
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from edge.control.commands import Outcome
from edge.errors import EdgeError, SinkError, shown
from edge.sinks.watching.shapes import misfit
from edge.stream import Event, Hearing, TargetHearing
from edge.topics import encode, event_payload, in_line, outcome_payload

SCHEMA = 1
"""Version of these messages: grows when a name changes its meaning or goes; a new name leaves it as it is."""
PAST_EVENTS = 40
"""Starts and ends of events that who begins to look is told at once."""

Message = Mapping[str, Any]


def message(kind: str, at: str | None, **others: object) -> Message:
    """One message; `others` are its own names."""
    return {"schema": SCHEMA, "kind": kind, "at": at, **others}


def to_line(told: Message) -> bytes:
    """Compact JSON in UTF-8 with its line break."""
    return encode(told).encode("utf-8", "replace") + b"\n"


def from_line(line: bytes) -> Message:
    """The message of one line. Raises SinkError for what no edge-audio of this schema sends."""
    try:
        told = json.loads(line.decode("utf-8"))  # of bytes, json.loads lets halves of surrogate pairs through
        if b"\\ud" in line.lower():  # half a surrogate pair is no text that could be handed on
            json.dumps(told, ensure_ascii=False).encode()
        if told["schema"] == SCHEMA and not (wrong := misfit(told)):
            return dict(told)
        found = f"schema {shown(told['schema'])}" if told["schema"] != SCHEMA else f"{shown(told['kind'])}: {wrong}"
    except (ValueError, KeyError, TypeError, RecursionError):
        found = ascii(line[:60].decode("utf-8", "replace"))
    raise SinkError("watch", found=found, wanted=f"messages of schema {SCHEMA}: the same edge-audio on both sides")


def hearing_message(hearing: Hearing, patch_samples: int, at: str | None) -> Message:
    """Levels to 0.1 dB, scores and probabilities to 4 digits; patch_samples: how far a patch reaches."""
    return message(
        "hearing", at, start=int(hearing.position), end=int(hearing.position) + patch_samples,
        level_dbfs=round(hearing.level_dbfs, 1), noise_dbfs=round(hearing.noise_dbfs, 1),
        gate_open=bool(hearing.gate_open),
        top=[{"label": label, "score": round(score, 4)} for label, score in hearing.top],
        targets=[{"target": each.target, "label": each.label,
                  "probability": None if each.probability is None else round(each.probability, 4),
                  "threshold": round(each.threshold, 4), "running": bool(each.running), "refused": each.refused}
                 for each in hearing.targets])


def hearing_from(told: Message) -> Hearing:
    """The hearing of a message. Raises SinkError where names are missing."""
    try:
        return Hearing(
            told["start"], told["level_dbfs"], told["noise_dbfs"], told["gate_open"],
            tuple((each["label"], each["score"]) for each in told["top"]),
            tuple(TargetHearing(each["target"], each["label"], each["probability"], each["threshold"], each["running"],
                                each["refused"]) for each in told["targets"]))
    except (KeyError, TypeError) as error:
        raise broken("hearing", error) from error


def event_message(event: Event, device: str, at: str | None) -> Message:
    """The payload of the broker with the positions that it does not carry."""
    return message("event", at, start=int(event.start), end=None if event.end is None else int(event.end),
                   event=event_payload(event, device=device, late=False))


def answer_message(command: str, outcome: Outcome, request: str | None, at: str | None) -> Message:
    """What MQTT would answer, with the verb as `command`, and the whole of an error in one line as `error`."""
    payload = outcome_payload(command, outcome, request=request)
    told = {name: value for name, value in payload.items() if name not in ("schema", "verb", "request")}
    error = in_line(str(outcome)) if isinstance(outcome, EdgeError) else None
    return {**message("answer", at, command=command, request=request, ok=told["ok"], error=error), **told}


def event_from(told: Message) -> Event:
    """The event of a message, without its peak. Raises SinkError where names are missing."""
    try:
        payload = told["event"]
        ended = payload["ended_at"]
        return Event(
            payload["id"], payload["sequence"], payload["phase"], payload["target"], payload["label"],
            payload["probability"], payload["score"], told["start"], told["end"],
            datetime.fromisoformat(payload["started_at"]), None if ended is None else datetime.fromisoformat(ended),
            payload["level_dbfs"])
    except (KeyError, TypeError, ValueError) as error:
        raise broken("event", error) from error


def broken(kind: str, error: Exception) -> SinkError:
    """The error for a message that lacks what its kind has."""
    return SinkError(f"watch: {kind}", found=f"{type(error).__name__} {error}",
                     wanted="the same edge-audio on both sides")
