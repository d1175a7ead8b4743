"""What `edge-audio doctor --bundle` writes: findings, settings, versions, health and log in one archive, without secrets."""

from __future__ import annotations

import io
import json
import os
import platform
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from edge import __version__
from edge.cli.checkup.finding import Finding
from edge.errors import SinkError
from edge.settings import Settings

LEFT_OUT = "(left out)"
LIBRARIES = ("ai-edge-litert", "tflite-runtime", "numpy", "PyAudio", "paho-mqtt", "gpiozero", "gpiod", "lgpio", "soundfile")
LOG_LINES, LOG_SECONDS = 500, 20.0
_USER_INFO = re.compile(r"//[^/\s]+@")


def write_bundle(path: Path, settings: Settings, findings: Sequence[Finding], health: Mapping[str, object] | None) -> None:
    """Write a tar.gz for its owner only. Raises SinkError where it cannot be written."""
    parts = {
        "findings.json": _json([asdict(finding) for finding in findings]),
        "settings.json": _json(without_secrets(settings)),
        "versions.json": _json(_versions()),
        "health.json": _json(health),
        "log.txt": _log(),
    }
    try:
        with open(path, "xb", opener=_private) as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, text in parts.items():
                data = _USER_INFO.sub(f"//{LEFT_OUT}@", text).encode()
                entry = tarfile.TarInfo(f"edge-audio-bundle/{name}")
                entry.size, entry.mode = len(data), 0o600
                archive.addfile(entry, io.BytesIO(data))
    except OSError as error:
        raise SinkError(str(path), found=error.strerror or str(error), wanted="a new file in a folder that can be written"
                        ) from error


def without_secrets(settings: Settings) -> dict[str, object]:
    """All tables as they hold. Of a command only the program: its arguments may hold a camera's password."""
    tables: dict[str, object] = asdict(settings)
    source = asdict(settings.source)
    if command := settings.source.command:
        source["command"] = [command[0].split()[0], *[LEFT_OUT for _ in command[1:]]] if command[0].split() else [LEFT_OUT]
    tables["source"] = source
    tables["mqtt"] = {**asdict(settings.mqtt), "user": LEFT_OUT if settings.mqtt.user else ""}
    return tables


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _versions() -> dict[str, object]:
    found: dict[str, object] = {"edge-audio": __version__, "python": platform.python_version(),
                                "machine": platform.machine(), "kernel": platform.release()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = None
    for name, path in (("system", "/etc/os-release"), ("board", "/proc/device-tree/model")):
        try:
            found[name] = Path(path).read_text(encoding="utf-8", errors="replace").strip("\0\n")
        except OSError:
            found[name] = None
    return found


def _log() -> str:
    """The service's last lines, which hold no event's sound and no password; a word where there are none to be had."""
    try:
        done = subprocess.run(["journalctl", "--unit", "edge-audio*", "--lines", str(LOG_LINES), "--no-pager", "--output",
                               "short-iso"], capture_output=True, text=True, timeout=LOG_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no log: {type(error).__name__}\n"
    return done.stdout or f"no log: {done.stderr.strip()}\n"


def _json(what: object) -> str:
    return json.dumps(what, indent=2, default=str) + "\n"
