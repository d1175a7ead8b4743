"""The channel that the owner named must be there: hearing another one in its stead would be a silent fall-back."""

from __future__ import annotations

from edge.errors import SettingsError
from edge.settings import SourceSettings
from edge.stream import StreamFormat


def check_channel(settings: SourceSettings, form: StreamFormat, thing: str) -> None:
    """Raises SettingsError where `thing`, which delivers `form`, has no channel `settings.channel`."""
    if settings.channel >= form.channels:
        last = form.channels - 1
        raise SettingsError("[source] channel", found=str(settings.channel),
                            wanted=f"-1 (the mean) or 0{f' to {last}' if last else ''}: {thing} gives {form}")
