"""Which microphone, and at what rate and how many channels: pure choices over what the cards say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.errors import SettingsError, SourceError
from edge.settings import SourceSettings
from edge.stream import SAMPLE_RATE, StreamFormat

USUAL_RATES = (16_000, 48_000, 44_100, 32_000, 96_000, 88_200, 192_000, 24_000, 22_050, 11_025, 8_000)
"""Hz, in the order of our liking after the card's own default rate: those that carry 8 kHz of sound first."""

Offers = Callable[[int, int], bool]
"""(rate in Hz, channels) -> whether the card really offers it. Raises SourceError where the card does not answer."""


@dataclass(frozen=True, slots=True)
class Microphone:
    """One input that PortAudio lists."""

    name: str
    host_api: str
    """"ALSA", "JACK Audio Connection Kit", ..."""
    channels: int
    """The most it offers."""
    default_rate: int
    """Hz."""
    rates: tuple[int, ...]
    """Those of the usual rates that it really offers, ascending; empty if it does not answer."""


def choose(names: Sequence[str], wanted: str) -> int:
    """Index of the name that is `wanted`, else of the one name that contains it, in upper or lower case.

    Raises SourceError if there is none (it may be plugged in later), SettingsError if there are several.
    """
    matches = [i for i, name in enumerate(names) if name.lower() == wanted.lower()]
    if not matches:
        matches = [i for i, name in enumerate(names) if wanted.lower() in name.lower()]
    if not matches:
        found = f"none of that name among {_listed(names)}" if names else "no microphone at all"
        raise SourceError(f"microphone {wanted!r}", found=found, wanted="one whose name contains it")
    if len(matches) > 1:
        raise SettingsError("[source] microphone", found=f"{wanted!r}, which {len(matches)} names contain",
                            wanted=f"a longer part of one of {_listed([names[i] for i in matches])}")
    return matches[0]


def pick_format(settings: SourceSettings, name: str, most_channels: int, default_rate: int,
                offers: Offers) -> StreamFormat:
    """The first rate that the card offers, with as few channels as it offers there.

    The order of rates is 16 kHz, which needs no resampling, then the card's own rate, then the usual ones. A rate
    or a number of channels in the settings is the only one asked for. Raises SettingsError where the card refuses
    all of it.
    """
    rates = (settings.rate,) if settings.rate else dict.fromkeys((SAMPLE_RATE, default_rate, *USUAL_RATES))
    least = max(settings.channel + 1, 1)
    counts = (settings.channels,) if settings.channels else channel_counts(most_channels, least)
    for rate in rates:
        for channels in counts:
            if channels >= least and offers(rate, channels):
                return StreamFormat(rate, channels)
    asked = " with ".join((f"{settings.rate} Hz" if settings.rate else "any rate",
                           f"{settings.channels or 'any number of'} channels"))
    if settings.channel >= 0:
        asked += f", of which channel {settings.channel}"
    raise SettingsError(f"[source] {asked}", found=f"microphone {name!r} refuses",
                        wanted=f"what it offers: up to {most_channels} channels, rate {default_rate} Hz by default "
                               "(`edge-audio devices` lists the rates; 0 picks one)")


def channel_counts(most: int, least: int = 1) -> tuple[int, ...]:
    """Numbers of channels worth asking for: 1 to 8, and all (some studio cards offer nothing but all)."""
    return tuple(n for n in dict.fromkeys((*range(1, 9), min(most, 64))) if least <= n <= most)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
