"""edge-audio hears sounds on a small board and says so over MQTT and on GPIO pins.

A recording:

    from edge import classify, load_model
    result = classify(load_model("starter"), "door.wav")
    print(result.best(0, top=3), result.events)

A stream, here from an array `samples`, int16 at 16 kHz, in blocks of 0.1 s:

    from types import SimpleNamespace
    from edge import Block, Listener, StreamFormat, load_model, plan_for
    blocks = [Block(samples[at:at + 1600], at, StreamFormat(16_000, 1)) for at in range(0, len(samples), 1600)]
    source = SimpleNamespace(live=False, state="ok", blocks=lambda: iter(blocks), close=lambda: None)
    printer = SimpleNamespace(name="printer", event=print, health=lambda health: None)
    Listener(plan_for(load_model())).run(source, [printer])
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {"Block": "edge.stream", "Listener": "edge.listener", "StreamFormat": "edge.stream",
          "classify": "edge.workshop.classify", "load_model": "edge.control.loading", "plan_for": "edge.control.plan"}

__all__ = ["Block", "Listener", "StreamFormat", "__version__", "classify", "load_model", "plan_for"]


def __dir__() -> list[str]:
    """What the package offers, loaded or not."""
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    """Public names are loaded when they are asked for: `edge-audio devices` needs no model, `model list` no microphone."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge' has no attribute {name!r}")
