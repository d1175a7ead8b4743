"""The bands as messages: one byte a band. Apart from the other messages, for who only hands them on needs no NumPy. Pure."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from edge.sinks.watching.messages import Message, broken, message
from edge.stream import BANDS, FRAME_STEP, SAMPLE_RATE, Bands
from edge.topics import rfc3339

STEP_DB, OFFSET_DB = 0.5, -60.0
"""A byte of the bands is so many dB; digital silence, log(0.001), is -60 dB and the byte 0. Full scale stays under 255."""
DB_PER_NEPER = 20.0 / math.log(10.0)
MOST_ROWS = 100
"""Rows of one message: a second, 8.5 kB."""


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
        if not all(abs(told[name]) < 1e6 for name in ("step_db", "offset_db")):
            raise ValueError("a step or offset of no sound")
        return (cells * np.float32(told["step_db"]) + np.float32(told["offset_db"])) / np.float32(DB_PER_NEPER)
    except (KeyError, TypeError, ValueError) as error:
        raise broken("bands", error) from error
