"""The record of updates on the data partition: one small JSON file, replaced whole, safe against a power cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.cli.updating.trial import ALL_LOOKS, Failure, Record, Trial
from edge.errors import UpdateError
from edge.model.placing import writing

SCHEMA = 1
"""Grows when a name changes its meaning. The version before must be able to read what this one wrote: it may come back."""


def load(path: Path) -> Record:
    """The record; an empty one where none was kept. Raises UpdateError for a file that cannot be read or understood."""
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, RecursionError) as error:
        raise UpdateError(str(path), found=str(error), wanted="the record of updates") from error
    try:
        if kept["schema"] != SCHEMA:
            raise ValueError(f"schema {kept['schema']!r}")
        trial, failure = kept["trial"], kept["failure"]
        return Record({str(slot): str(version) for slot, version in kept["proven"].items()}, str(kept["serving"]),
                      None if trial is None else _trial(trial),
                      None if failure is None else Failure(
                          str(failure["slot"]), str(failure["version"]), str(failure["reason"]), str(failure["at"]),
                          bool(failure["proven"])))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UpdateError(str(path), found=f"{type(error).__name__} {error}", wanted=f"schema {SCHEMA}") from error


def _trial(kept: Mapping[str, Any]) -> Trial:
    return Trial(str(kept["slot"]), str(kept["version"]), tuple(look for look in kept["wanted"] if look in ALL_LOOKS),
                 str(kept["boot"]), bool(kept["installed"]), int(kept["boots"]), str(kept["reason"]))


def save(path: Path, record: Record) -> None:
    """Replace the file, and be sure that the new one is on the card. Raises UpdateError where the disk refuses."""
    text = json.dumps({"schema": SCHEMA, **asdict(record)}, separators=(",", ":")) + "\n"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with writing(path) as new:
            new.touch(mode=0o600)
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UpdateError(str(path), found=error.strerror or str(error), wanted="room for the record of updates") from error
