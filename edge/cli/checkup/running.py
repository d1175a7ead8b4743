"""The appliance that runs beside `edge-audio doctor`, asked through its watch socket: it has the microphone and the pins."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge.backoff import is_well
from edge.cli.checkup.finding import Finding
from edge.cli.checkup.model import delegate_advice
from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient

PATIENCE_SECONDS = 5.0
"""How long an appliance may take to say how it is."""


def about_running(state_dir: Path) -> Mapping[str, object] | None:
    """What the appliance of this state directory says of itself; None where none runs, or none that we may ask."""
    try:
        client = WatchClient(state_dir)
    except SinkError:
        return None
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while not client.ended and (left := deadline - time.monotonic()) > 0:
            if select.select([client], [], [], left)[0]:
                for message in client.take():
                    about = message.get("about")
                    if message.get("kind") == "about" and isinstance(about, Mapping):
                        return about
    except SinkError:
        pass
    finally:
        client.close()
    return None


def check_service(state_dir: Path, about: Mapping[str, object] | None) -> Iterator[Finding]:
    """Findings of what it says; that none runs, where `about` is None."""
    if about is None:
        yield Finding("service", True, f"none runs with {state_dir}, or it is another user's")
    else:
        yield from check_running(about)


def check_running(about: Mapping[str, object]) -> Iterator[Finding]:
    """Findings of what it says."""
    muted = "; muted" if about.get("muted") else ""
    yield Finding("service", True, f"runs: version {about.get('version')}, model {about.get('model')}{muted}")
    source = str(about.get("source"))
    yield Finding("source", source == "ok", "the service hears it" if source == "ok" else source,
                  "" if source == "ok" else "edge-audio devices; deploy/docs/microphone.md says what each trouble means")
    if (slow := about.get("delegate", "ok")) != "ok":
        yield Finding("delegate", False, str(slow), delegate_advice(str(slow)))
    if (pace := about.get("pace", "ok")) != "ok":
        yield Finding("pace", False, str(pace), "deploy/docs/troubleshooting.md#a-board-that-is-too-slow")
    if (update := about.get("update", "ok")) != "ok":
        yield Finding("update", "on trial" in str(update), str(update), "edge-audio update --status; deploy/docs/updates.md")
    sinks = about.get("sinks")
    for name, state in sinks.items() if isinstance(sinks, Mapping) else ():
        yield Finding(str(name), is_well(state), f"the service says {state}",
                      "" if is_well(state) else "deploy/docs/troubleshooting.md")
