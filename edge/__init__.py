"""edge-audio hears sounds on a small board and says so over MQTT and on GPIO pins."""

from __future__ import annotations

__version__ = "0.1.0"
