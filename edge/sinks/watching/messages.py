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
    lost      messages: how many this watcher was too slow for
    refused   reason: why this watcher is told nothing
    bye       the appliance stops
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.control.commands import Outcome
from edge.errors import EdgeError, SinkError
from edge.stream import BANDS, FRAME_STEP, SAMPLE_RATE, Bands, Event, Hearing, TargetHearing
from edge.topics import encode, event_payload, in_line, outcome_payload, rfc3339

STEP_DB, OFFSET_DB = 0.5, -60.0
"""A byte of the bands is so many dB; digital silence, log(0.001), is -60 dB and the byte 0. Full scale stays under 255."""
DB_PER_NEPER = 20.0 / math.log(10.0)
MOST_ROWS = 100
"""Rows of one message: a second, 8.5 kB."""

SCHEMA = 1
"""Version of these messages: grows when a name changes its meaning or goes; a new name leaves it as it is."""

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
        told = json.loads(line)
        if isinstance(told, dict) and told["schema"] == SCHEMA and isinstance(told["kind"], str):
            return told
        found = f"schema {told['schema']!r}"
    except (ValueError, KeyError, TypeError):
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
        raise _broken("hearing", error) from error


def event_message(event: Event, device: str, at: str | None) -> Message:
    """The payload of the broker with the positions that it does not carry."""
    return message("event", at, start=int(event.start), end=None if event.end is None else int(event.end),
                   event=event_payload(event, device=device, late=False))


def bands_messages(bands: Bands, at: str | None) -> Iterator[Message]:
    """Messages of at most MOST_ROWS rows. cells: base64 of one byte a band, the first row's 64 bands first, lowest first.

    A band in dB, 20 log10 of its magnitude, is offset_db + step_db * byte: to 0.25 dB, from digital silence (0) on.
    """
    for first in range(0, len(bands.rows), MOST_ROWS):
        rows = bands.rows[first:first + MOST_ROWS]
        cells = np.clip(np.rint(rows * (DB_PER_NEPER / STEP_DB) - OFFSET_DB / STEP_DB), 0, 255).astype(np.uint8)
        begins_at = bands.begins_at + timedelta(seconds=first * FRAME_STEP / SAMPLE_RATE)
        yield message("bands", at, position=int(bands.position) + first * FRAME_STEP, begins_at=rfc3339(begins_at),
                      rows=len(rows), bands=BANDS, rows_per_second=SAMPLE_RATE // FRAME_STEP, step_db=STEP_DB,
                      offset_db=OFFSET_DB, cells=b64encode(cells).decode("ascii"))


def bands_from(told: Message) -> NDArray[np.float32]:
    """The log-mel rows of a message, float32 `(rows, 64)`, to 0.03 of a neper. Raises SinkError for what is none."""
    try:
        cells = np.frombuffer(b64decode(told["cells"], validate=True), np.uint8).reshape(told["rows"], told["bands"])
        return (cells * np.float32(told["step_db"]) + np.float32(told["offset_db"])) / np.float32(DB_PER_NEPER)
    except (KeyError, TypeError, ValueError) as error:
        raise _broken("bands", error) from error


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
        raise _broken("event", error) from error


def _broken(kind: str, error: Exception) -> SinkError:
    return SinkError(f"watch: {kind}", found=f"{type(error).__name__} {error}",
                     wanted="the same edge-audio on both sides")
