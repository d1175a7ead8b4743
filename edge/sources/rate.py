"""Sound of a low rate: it is heard, but a model misses what lies above half the rate."""

from __future__ import annotations

import logging

from edge.stream import SAMPLE_RATE, StreamFormat

_LOG = logging.getLogger(__name__)


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
