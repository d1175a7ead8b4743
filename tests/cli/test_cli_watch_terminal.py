"""`edge-audio watch` on a real pseudo-terminal: what is seen, and that the terminal is given back whatever happens."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.cli.pseudo_terminal import ROOT, Watched

pytestmark = pytest.mark.big

CLAPS = ROOT / "models/demo/claps.wav"


def test_a_recording_is_shown_and_summed_up_and_the_terminal_given_back() -> None:
    with Watched("--file", CLAPS, "--fast") as watched:
        assert watched.end() == 0
        assert watched.restored()
        assert "events: 4" in watched.screen.other and "not raised:" in watched.screen.other
        assert len(re.findall(r"hand_clap +0\.\d\d lasted 0\.\d\d s", watched.screen.other)) == 4


def test_a_clap_is_seen_while_it_is_heard_and_q_ends_it() -> None:
    with Watched("--file", CLAPS, "--top", "3") as watched:
        text = watched.until(lambda text: re.search(r"^E hand_clap", text, re.MULTILINE) is not None)
        assert re.search(r"level +-\d+\.\d dBFS .*noise -\d+\.\d +gate open", text)
        assert re.search(r"0:01\.5\d hand_clap +0\.\d\d goes on", text)
        assert "not raised" in text and "q quits" in text
        assert not watched.restored(), "it is ours now"
        watched.type(b"q")
        assert watched.end() == 0
        assert watched.restored()


@pytest.mark.parametrize(("keys", "number", "code"), [
    (b"\x03", None, 0), (None, signal.SIGTERM, 143), (None, signal.SIGHUP, 129), (None, signal.SIGINT, 0)])
def test_however_it_is_ended_the_terminal_is_given_back(keys: bytes | None, number: int | None, code: int) -> None:
    with Watched("--file", CLAPS) as watched:
        watched.until(lambda text: "gate open" in text)
        if keys is not None:
            watched.type(keys)
        if number is not None:
            watched.process.send_signal(number)
        assert watched.end() == code
        assert watched.restored()
        assert "Traceback" not in watched.screen.other


def test_a_recording_that_breaks_off_is_said_on_a_terminal_that_was_given_back(tmp_path: Path) -> None:
    """The header promises samples that are not there, and a warning that would have spoilt the screen waits its turn."""
    cut = tmp_path / "cut.wav"
    cut.write_bytes(CLAPS.read_bytes()[:60_000])
    with Watched("--file", cut, "--fast") as watched:
        assert watched.end() == 0
        assert watched.restored()
        assert "WARNING" in watched.screen.other and "cut.wav" in watched.screen.other


def test_another_size_is_filled_anew() -> None:
    with Watched("--file", CLAPS, size=(40, 12)) as watched:
        watched.until(lambda text: "gate open" in text)
        assert "q quits" not in "\n".join(watched.screen.text())
        watched.resize(100, 30)
        text = watched.until(lambda text: "q quits" in text and "gate open" in text)
        assert text.splitlines()[29].startswith("q quits")
        watched.resize(40, 12)
        watched.until(lambda text: "gate open" in text and "q quits" not in text)
        watched.type(b"q")
        assert watched.end() == 0


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() -> None:
    with Watched("--file", CLAPS) as watched:
        watched.until(lambda text: "gate open" in text)
        watched.type(b"\x1a")
        while not watched.stopped():
            pass
        assert watched.restored()
        watched.resume()
        watched.until(lambda text: "gate open" in text)
        watched.type(b"q")
        assert watched.end() == 0 and watched.restored()


@pytest.mark.parametrize(("arguments", "variables", "coloured", "blocks"), [
    ([], {}, True, True), (["--no-colour"], {}, False, True), ([], {"NO_COLOR": "1"}, False, True),
    ([], {"LC_ALL": "C"}, True, False), (["--format", "screen"], {"TERM": "dumb"}, False, True)])
def test_colours_and_blocks_are_written_only_where_they_are_wanted(arguments: list[str], variables: dict[str, str],
                                                                   coloured: bool, blocks: bool) -> None:
    with Watched("--file", CLAPS, *arguments, **variables) as watched:
        text = watched.until(lambda text: re.search(r"^E hand_clap", text, re.MULTILINE) is not None)
        watched.type(b"q")
        assert watched.end() == 0
        assert bool(watched.screen.styles) is coloured
        assert ("█" in text) is blocks and text.isascii() is not blocks


def test_a_terminal_that_can_show_no_screen_gets_lines() -> None:
    with Watched("--file", CLAPS, "--fast", TERM="dumb") as watched:
        assert watched.end() == 0
        assert '"kind":"event"' in watched.screen.other and watched.screen.styles == set()


def test_the_width_can_be_held_back() -> None:
    with Watched("--file", CLAPS, "--width", "50") as watched:
        watched.until(lambda text: "gate open" in text)
        assert all(len(line) <= 50 for line in watched.screen.text())
