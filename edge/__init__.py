"""edge-audio hears sounds on a small board and says so over MQTT and on GPIO pins.

    from edge import classify, load_model
    result = classify(load_model("starter"), "door.wav")
    print(result.best(0, top=3), result.events)
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

__all__ = ["Listener", "__version__", "classify", "load_model"]

_HOMES = {"Listener": "edge.listener", "classify": "edge.workshop.classify", "load_model": "edge.control.loading"}


def __getattr__(name: str) -> Any:
    """Public names are loaded when they are asked for: `edge-audio devices` needs no model, `model list` no microphone."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge' has no attribute {name!r}")
