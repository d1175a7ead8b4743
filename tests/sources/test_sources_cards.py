"""Which microphone, at what rate, with how many channels; and the chatter of those that are not there."""

from __future__ import annotations

import logging
import os

import pytest

from edge.errors import SettingsError, SourceError
from edge.settings import SourceSettings
from edge.sources.cards import USUAL_RATES, channel_counts, choose, pick_format
from edge.sources.quiet import quiet_libraries
from edge.stream import StreamFormat

NAMES = ("HDA Intel PCH: ALC269 (hw:0,0)", "USB PnP Sound Device: Audio (hw:1,0)", "USB Camera: Audio (hw:2,0)", "default")


@pytest.mark.parametrize(("wanted", "index"), [("pnp", 1), ("usb cam", 2), ("DEFAULT", 3), (NAMES[1].upper(), 1)])
def test_a_part_of_one_name_chooses(wanted: str, index: int) -> None:
    assert choose(NAMES, wanted) == index


def test_the_whole_name_wins_over_a_longer_one() -> None:
    assert choose(("mic", "mic array"), "Mic") == 0


def test_two_of_a_name_and_none_of_it_list_what_there_is() -> None:
    with pytest.raises(SettingsError, match=r"'USB', which 2 names contain; wanted a longer part of one of 'USB PnP.*'"):
        choose(NAMES, "USB")
    with pytest.raises(SourceError, match=r"microphone 'RODE': found none of that name among 'HDA.*, 'default'; wanted"):
        choose(NAMES, "RODE")
    with pytest.raises(SourceError, match="microphone 'RODE': found no microphone at all"):
        choose((), "RODE")


@pytest.mark.parametrize(("settings", "rates", "channels", "most", "expected"), [
    ({}, {16_000, 48_000}, {1, 2}, 2, (16_000, 1)),
    ({}, {44_100, 48_000}, {2}, 2, (44_100, 2)),  # the card's own rate before 48000
    ({}, {48_000}, {2}, 2, (48_000, 2)),
    ({}, {96_000}, {18}, 18, (96_000, 18)),
    ({}, {8_000}, {1}, 1, (8_000, 1)),
    ({"channel": 1}, {16_000}, {1, 2, 4}, 4, (16_000, 2)),
    ({"channel": 2}, {16_000}, {1, 2, 4}, 4, (16_000, 4)),
    ({"rate": 48_000}, {16_000, 48_000}, {1, 2}, 2, (48_000, 1)),
    ({"channels": 2}, {16_000, 48_000}, {1, 2}, 2, (16_000, 2)),
    ({"rate": 12_345, "channels": 2}, {12_345}, {2}, 2, (12_345, 2)),
])
def test_the_best_that_the_card_really_offers_is_taken(settings: dict[str, int], rates: set[int], channels: set[int],
                                                       most: int, expected: tuple[int, int]) -> None:
    form = pick_format(SourceSettings(**settings), "card", most, 44_100,  # type: ignore[arg-type]
                       lambda rate, count: rate in rates and count in channels)
    assert form == StreamFormat(*expected)


@pytest.mark.parametrize(("settings", "words"), [
    ({"rate": 12_345}, r"\[source\] 12345 Hz with any number of channels: found microphone 'card' refuses; wanted what"),
    ({"channels": 2}, "any rate with 2 channels: found"),
    ({"channel": 1}, "any number of channels, of which channel 1: found"),
    ({"channel": 1, "channels": 1}, "with 1 channels, of which channel 1: found"),
])
def test_explicit_settings_are_honoured_or_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        pick_format(SourceSettings(**settings), "card", 1, 44_100,  # type: ignore[arg-type]
                    lambda rate, count: rate in USUAL_RATES and count == 1)


def test_as_few_channels_as_possible_are_tried_first_and_all_last() -> None:
    assert channel_counts(2) == (1, 2)
    assert channel_counts(18) == (1, 2, 3, 4, 5, 6, 7, 8, 18)
    assert channel_counts(128, 3) == (3, 4, 5, 6, 7, 8, 64)
    assert channel_counts(2, 3) == ()


def test_chatter_is_kept_off_standard_error_and_other_lines_pass(capfd: pytest.CaptureFixture[str],
                                                                caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), quiet_libraries():
        os.write(2, b"ALSA lib pcm.c:2664:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.rear\nsomething of ours\n"
                    b"jack server is not running or cannot be started\nExpression 'ret' failed in 'pa_linux_alsa.c'\n")
        os.write(2, b"half a line, and ")
        os.write(2, b"its end\n")
    assert capfd.readouterr().err == "something of ours\nhalf a line, and its end\n"
    assert [record.getMessage().split()[0] for record in caplog.records] == ["ALSA", "jack", "Expression"]
    os.write(2, b"ALSA lib afterwards\n")
    assert capfd.readouterr().err == "ALSA lib afterwards\n"
