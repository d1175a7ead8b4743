"""The screen: what stands where, in any size, without colour, and with labels that mean harm."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.screen.layout import frame
from edge.cli.screen.paint import Look, bar, cells, fit, line, utf8
from edge.cli.screen.rows import ago, into
from edge.cli.screen.seen import Seen
from edge.sinks.watching.messages import message
from edge.topics import rfc3339
from tests.cli.made_hearings import NOON, event_told, hearing_told, target

PLAIN = Look(unicode=True, colour=False)
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def seen_with(*told: object) -> Seen:
    seen = Seen()
    for each in told:
        seen.take(each)  # type: ignore[arg-type]
    return seen


def shown(seen: Seen, width: int = 80, height: int = 24, *, look: Look = PLAIN, top: int = 5, live: bool = False,
          note: str = "") -> str:
    lines = frame(seen, width=width, height=height, top=top, look=look, now=NOON + timedelta(seconds=5) if live else None,
                  note=note)
    assert len(lines) == height
    assert all(cells(COLOUR.sub("", each)) == width for each in lines)
    return "\n".join(lines)


BUSY = seen_with(
    message("about", None, device="kitchen", about={"model": "starter", "source": "ok"}),
    event_told("typing", seconds=1.0, lasted=0.5), event_told("hand_clap", seconds=2.0),
    hearing_told(target("hand_clap", 0.75, running=True), target("typing", 0.25, threshold=0.75),
                 target("siren", 0.3, refused="under the threshold"), top=(("hand_clap", 0.75), ("cough", 0.2)),
                 level=-30.0, noise=-60.0))


def test_level_noise_gate_bars_thresholds_events_and_refusals_are_shown() -> None:
    text = shown(BUSY)
    assert re.search(r"edge-audio kitchen  starter", text)
    assert re.search(r"level +-30.0 dBFS .*noise -60.0 +gate open", text)
    assert re.search(r"^E hand_clap .* 0\.75/0\.50", text, re.MULTILINE), "a running event has its letter"
    assert re.search(r"^  typing .* 0\.25/0\.75", text, re.MULTILINE)
    assert re.search(r"  cough .* 0\.20", text)
    assert re.search(r"^E    0:02.00 hand_clap +0\.90 goes on", text, re.MULTILINE)
    assert re.search(r"^     0:01.00 typing +0\.90 lasted 0\.50 s", text, re.MULTILINE)
    assert re.search(r"^x    0:00.97 siren +0\.30/0\.50 under the threshold", text, re.MULTILINE)


def test_a_muted_device_says_so_instead_of_looking_broken() -> None:
    for muted, said in ((True, True), (False, False)):
        seen = seen_with(hearing_told(target("siren", 0.3)), message("about", None, device="hall", about={"muted": muted}))
        assert ("muted" in shown(seen, live=True)) is said
    assert "muted; source: lost" in shown(seen_with(
        message("about", None, device="hall", about={"muted": True, "source": "lost"})), live=True)


def test_an_event_marks_its_target_before_the_hearing_of_its_hop_comes() -> None:
    seen = seen_with(hearing_told(target("hand_clap", 0.2)), event_told("hand_clap", seconds=2.0))
    assert re.search(r"^E hand_clap .*/0\.50", shown(seen), re.MULTILINE)
    seen.take(event_told("hand_clap", seconds=2.0, lasted=0.1))
    assert re.search(r"^  hand_clap .*/0\.50", shown(seen), re.MULTILINE)


def test_an_event_does_not_go_on_for_ever_when_the_appliance_is_gone() -> None:
    seen = seen_with(hearing_told(target()), event_told("hand_clap", seconds=2.0))
    seen.finish()
    assert "0.90 end not heard" in shown(seen) and "0.90 goes on" not in shown(seen)
    seen.take(event_told("typing", seconds=9.0))
    assert re.search(r"typing +0\.90 goes on", shown(seen))


def test_a_bar_is_as_long_as_its_share_and_marks_the_threshold() -> None:
    assert bar(0.5, 0.75, 8, PLAIN) == "████··│·"
    assert bar(0.5, 0.25, 8, Look(unicode=False)) == "##|#...."
    assert bar(1.0, 1.0, 4, Look(unicode=False)) == "###|"
    assert bar(None, None, 4, Look(unicode=False)) == "...."
    assert bar(0.0, 0.0, 4, Look(unicode=False)) == "|..."
    assert bar(7.0, -1.0, 4, Look(unicode=False)) == "|###"


@given(st.floats(0, 1), st.none() | st.floats(0, 1), st.integers(0, 60), st.booleans())
def test_a_bar_fills_its_cells_exactly(share: float, mark: float | None, width: int, blocks: bool) -> None:
    assert cells(bar(share, mark, width, Look(unicode=blocks))) == width


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("size", [(80, 24), (40, 12), (200, 60), (20, 6), (10, 3), (1, 1), (80, 5), (30, 50)])
def test_any_size_is_filled_exactly(size: tuple[int, int], live: bool) -> None:
    shown(BUSY, *size, live=live)
    shown(Seen(), *size, live=live)


def test_a_small_terminal_shows_targets_before_labels() -> None:
    text = shown(BUSY, 40, 12)
    assert "E hand_clap" in text and "typing" in text and "siren" in text
    assert "cough" not in text
    assert re.search(r"^x 0:00\.97 siren +under the threshold *$", text, re.MULTILINE)


def test_without_colour_no_escape_and_without_utf8_only_ascii_is_written() -> None:
    assert "\x1b" not in shown(BUSY)
    assert shown(BUSY, look=Look(unicode=False, colour=False)).isascii()
    assert "\x1b[1;32m" in shown(BUSY, look=Look())


def test_of_more_targets_than_fit_the_nearest_to_an_event_are_shown_in_their_order() -> None:
    many = [target(f"t{number:02}", number / 100, threshold=0.5) for number in range(40)]
    text = shown(seen_with(hearing_told(*many)), 60, 12)
    names = re.findall(r"t\d\d", text)
    assert names == sorted(names) and names[-1] == "t39" and "t00" not in names


def test_a_dozen_targets_fit_on_a_usual_terminal() -> None:
    many = [target(f"t{number:02}", number / 100) for number in range(13)]
    assert re.findall(r"t\d\d", shown(seen_with(hearing_told(*many)), 80, 24)).__len__() == 13


def test_the_connection_is_told_and_a_silent_one_too() -> None:
    assert "the appliance went away" in shown(BUSY, live=True, note="the appliance went away")
    quiet = seen_with(hearing_told(target(), at=rfc3339(NOON - timedelta(seconds=7))))
    assert "nothing heard for 12 s" in shown(quiet, live=True)
    away = seen_with(message("about", None, device="d", about={"model": "m", "source": "no microphone matches 'USB'"}))
    assert "source: no microphone matches 'USB'" in shown(away, live=True)
    slow = seen_with(message("lost", None, messages=3), message("lost", None, messages=4))
    assert "7 messages lost" in shown(slow, live=True)


def test_a_closed_gate_has_no_probabilities() -> None:
    text = shown(seen_with(hearing_told(target(probability=None), gate_open=False)))
    assert "gate closed" in text and re.search(r"hand_clap .*  - /0\.50", text)


def test_nothing_in_a_label_moves_the_cursor() -> None:
    evil = seen_with(hearing_told(target("\x1b[2J\r\nevil\u202e"), top=(("\x07\x9b31m音声", 0.4),)))
    text = shown(evil)
    assert "\x1b" not in text and "\r" not in text and "\x07" not in text and "\x9b" not in text
    assert "evil" in text and "音声" in text


@given(st.text(max_size=30), st.integers(0, 40))
def test_texts_of_any_letters_fit_their_cells(text: str, width: int) -> None:
    assert cells(fit(text, width)) == width
    assert cells(line([(text, "strong"), (text, "")], width, PLAIN)) == width


def test_ages_and_positions_are_short() -> None:
    told = [ago(rfc3339(NOON - timedelta(seconds=seconds)), NOON) for seconds in (0, 3, 99, 150, 7200, -5)]
    assert told == ["0 s ago", "3 s ago", "99 s ago", "2 min ago", "2 h ago", "0 s ago"]
    assert [into(position) for position in (0, 16_000 * 62 + 5_600, 16_000 * 3600)] == ["0:00.00", "1:02.35", "60:00.00"]


@pytest.mark.parametrize(("variables", "is_utf8"), [
    ({"LANG": "de_DE.UTF-8"}, True), ({"LANG": "C.UTF-8"}, True), ({"LC_ALL": "en_GB.utf8", "LANG": "C"}, True),
    ({"LC_CTYPE": "sv_SE.UTF-8"}, True), ({"LANG": "C"}, False), ({}, False), ({"LC_ALL": "C", "LANG": "C.UTF-8"}, False),
    ({"LC_CTYPE": "C.UTF-8"}, False), ({"LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, True),
    ({"LANG": "de_DE.ISO8859-1"}, False),
])
def test_blocks_are_drawn_only_where_the_locale_is_utf8(variables: dict[str, str], is_utf8: bool) -> None:
    assert utf8(variables) is is_utf8
