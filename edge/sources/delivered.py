"""What the sound of a source must be: it has the channel that the owner named, and a rate that carries what models hear."""

from __future__ import annotations

import logging

from edge.errors import SettingsError
from edge.settings import SourceSettings
from edge.stream import SAMPLE_RATE, StreamFormat

_LOG = logging.getLogger(__name__)


def check_channel(settings: SourceSettings, form: StreamFormat, thing: str) -> None:
    """Raises SettingsError where `thing`, which delivers `form`, lacks the channel that the settings name.

    Another channel is never taken in its stead: that would be a silent fall-back.
    """
    if settings.channel >= form.channels:
        last = form.channels - 1
        raise SettingsError("[source] channel", found=str(settings.channel),
                            wanted=f"-1 (the mean) or 0{f' to {last}' if last else ''}: {thing} gives {form}")


def lacks(form: StreamFormat) -> str:
    """What sound of this rate lacks for a model, in words; empty from 16 kHz on."""
    if form.rate >= SAMPLE_RATE:
        return ""
    return (f"found {form.rate} Hz, which carries nothing above {form.rate / 2000:g} kHz, so that the model misses claps, "
            f"keys and alarms; wanted {SAMPLE_RATE} Hz or more")


def warn_of_low_rate(form: StreamFormat, thing: str) -> None:
    """Log what the sound of `thing`, which delivers `form`, lacks; nothing from 16 kHz on."""
    if lacking := lacks(form):
        _LOG.warning("%s: %s", thing, lacking)
