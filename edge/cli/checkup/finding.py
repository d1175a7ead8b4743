"""What `edge-audio check` finds of a part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at one part. advice: what to do, empty where all is well."""

    part: str
    ok: bool
    text: str
    advice: str = ""
