"""The appliance that runs, looked at for the self-check: its unit, its samples, its delegate, its broker."""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient

PATIENCE_SECONDS = 5.0
"""How long it may take to say how it is, and to show that samples flow."""
UNIT = "edge-audio.service"


@dataclass(frozen=True, slots=True)
class Look:
    """passed: for each of `trial.ALL_LOOKS`, whether all is well. process: the unit's; "" where none runs. words: what is
    wrong, look by look. sounding: targets whose event has started and not ended."""

    passed: Mapping[str, bool]
    process: str
    words: Mapping[str, str]
    sounding: tuple[str, ...] = ()


def look(state_dir: Path) -> Look:
    """How the appliance of this state directory is now; takes up to `PATIENCE_SECONDS` and a little."""
    state, process = _unit()
    about, positions, sounding = _heard(state_dir)
    source = str(about.get("source", "nothing is told"))
    flows = len(positions) > 1 or bool(about.get("muted"))
    sinks = about.get("sinks")
    broker = str(sinks.get("mqtt", "none in the settings")) if isinstance(sinks, Mapping) else "nothing is told"
    delegate = str(about.get("delegate", "nothing is told"))
    passed = {"service": state == "active", "samples": source == "ok" and flows, "delegate": delegate == "ok",
              "broker": broker == "connected"}
    words = {"service": f"the unit is {state}", "samples": source if source != "ok" else "no samples flow",
             "delegate": delegate, "broker": f"broker: {broker}"}
    return Look(passed, process, words, sounding)


def _unit() -> tuple[str, str]:
    """ActiveState, and the main process with the number of starts."""
    try:
        told = subprocess.run(["systemctl", "show", UNIT, "--property=ActiveState,MainPID,NRestarts"], capture_output=True,
                              text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "unknown", ""
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    process = values.get("MainPID", "0")
    return values.get("ActiveState", "unknown"), "" if process == "0" else f"{process}.{values.get('NRestarts', '')}"


def _heard(state_dir: Path) -> tuple[Mapping[str, object], set[int], tuple[str, ...]]:
    """What the appliance says of itself, the positions of the hearings that came, and targets that sound in the last."""
    about: Mapping[str, object] = {}
    positions: set[int] = set()
    sounding: tuple[str, ...] = ()
    try:
        client = WatchClient(state_dir)
    except SinkError:
        return about, positions, sounding
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while not client.ended and (left := deadline - time.monotonic()) > 0:
            if not select.select([client], [], [], left)[0]:
                break
            for message in client.take():
                if message.get("kind") == "about" and isinstance(told := message.get("about"), Mapping):
                    about = told
                elif message.get("kind") == "hearing":
                    positions.add(int(message["start"]))
                    sounding = tuple(str(each["target"]) for each in message["targets"] if each["running"])
            if about and (len(positions) > 1 or about.get("muted") or about.get("source") != "ok"):
                break
    except (SinkError, KeyError, TypeError, ValueError):
        pass
    finally:
        client.close()
    return about, positions, sounding
