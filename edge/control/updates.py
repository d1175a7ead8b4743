"""What the image's self-check says of updates, for health: one line that it leaves in memory, never on the card."""

from __future__ import annotations

from pathlib import Path

NOTE = Path("/run/edge-audio-update")
"""Written by `edge-audio update --confirm`; absent where no image runs."""
LONGEST = 400


def update_words(note: Path | None = None) -> str:
    """"ok", or in a few words what is on trial or was taken back."""
    try:
        text = (note or NOTE).read_text("utf-8", "replace")[:LONGEST].strip()
    except OSError:
        return "ok"
    return " ".join(text.split()) or "ok"
