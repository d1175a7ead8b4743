"""Hear the microphone, or what the settings name, until stopped (Ctrl-C, SIGTERM) or until a recording ends.

Events go to standard output as JSON lines, to the broker, and to the pins, as the settings say. SIGHUP (systemctl reload)
has a service look again at the settings' targets, at calibrations, and at what was taught and judged, without a gap in
hearing; from a terminal it means that the terminal was closed, and stops.
"""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace
from pathlib import Path

from edge.app import build
from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from, try_own_model
from edge.control.memory import keep_together
from edge.control.systemd import Systemd
from edge.errors import SettingsError
from edge.settings import Settings, SourceSettings
from edge.state import held

EXAMPLES = """Examples:
  edge-audio run                                   the default microphone, the starter model, events on standard output
  edge-audio run --config edge-audio.toml          settings of your own (deploy/edge-audio.toml explains each key)
  edge-audio run --file street.wav                 a recording in real time; --fast: as fast as possible
  edge-audio run --microphone USB --model yamnet   a microphone by part of its name
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes."""
    common(parser)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--file", type=Path, metavar="FILE", help="hear this recording instead")
    source.add_argument("--microphone", metavar="NAME", help="hear the microphone with NAME in its name")
    parser.add_argument("--fast", action="store_true", help="with --file: as fast as possible, not in real time")


def source_settings(options: argparse.Namespace, source: SourceSettings) -> SourceSettings:
    """The settings' source with the command line's own on top."""
    if options.file is not None:
        source = replace(source, kind="file", path=str(options.file))
    if options.microphone is not None:
        source = replace(source, kind="microphone", microphone=options.microphone)
    if options.fast and source.kind != "file":
        raise SettingsError("--fast", found=f"a {source.kind}", wanted="a recording (--file)")
    return replace(source, paced=False) if options.fast else source


def run(options: argparse.Namespace) -> int:
    """Hear until told to stop."""
    keep_together()
    service = not _on_a_terminal()
    if service:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nothing is heard yet that could be heard otherwise
    settings = _read(options)
    log_to_stderr(settings.log.level)
    state_dir = state_dir_from(options)
    with held(state_dir):
        try_own_model(settings)
        appliance = build(settings, state_dir, read_settings=lambda: _read(options), systemd=Systemd.of(os.environ))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, lambda *_: appliance.stop())
        if service:
            signal.signal(signal.SIGHUP, lambda *_: appliance.steering.inbox.reload())
        appliance.run()
    return 0


def _read(options: argparse.Namespace) -> Settings:
    """The settings as they are now, with the command line's own on top. Raises SettingsError."""
    settings = settings_from(options)
    return replace(settings, source=source_settings(options, settings.source))


def _on_a_terminal() -> bool:
    """Whether a terminal controls this process, and sends SIGHUP when it is closed; a service has none."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
