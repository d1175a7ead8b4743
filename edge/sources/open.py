"""The source that the settings ask for."""

from __future__ import annotations

from edge.errors import SettingsError
from edge.settings import SourceSettings
from edge.sources.command import Command
from edge.sources.microphone import MicrophoneSource
from edge.sources.recording import Recording
from edge.stats import Stats


def open_source(settings: SourceSettings, stats: Stats) -> MicrophoneSource | Recording | Command:
    """A source of `settings.kind`. A recording is opened at once; a device when its blocks are first asked for.

    Raises SettingsError where the kind lacks what it needs, SourceError where there can be no sound.
    """
    if settings.kind == "file":
        return Recording(settings)
    if settings.kind == "command":
        if not settings.command or not settings.command[0]:
            raise SettingsError("[source] command", found="nothing",
                                wanted='a program and its arguments, as kind is "command"')
        return Command(settings, stats)
    if settings.kind == "microphone":
        return MicrophoneSource(settings, stats)
    raise SettingsError("[source] kind", found=repr(settings.kind), wanted="microphone, file or command")
