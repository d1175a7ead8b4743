"""What a key of the settings is, beside its name and type."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def key(default: Any, help_line: str, *, low: float | None = None, high: float | None = None,
        choices: tuple[str, ...] | None = None) -> Any:
    """A field with what `check`, README and the loader need to know of it. Ranges include their ends."""
    metadata = {"help": help_line, "low": low, "high": high, "choices": choices}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)
