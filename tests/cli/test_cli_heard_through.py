"""`teach --microphone` and `calibrate` beside an appliance that has the microphone: a real one, a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.cli import main
from tests.page.chromium import board, player
from tests.sinks.looking import Looker, wait_for

pytestmark = pytest.mark.big

CLAPS = ("1.0", "4.5", "8.0", "11.5")
"""Seconds of the bundled recording: two from each on hold one clap."""
THROUGH = "hearing through the running appliance\n"


class Board:
    """A state directory, and settings whose microphone one program alone can have, as with a sound card."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        sounds, self.settings = folder / "claps.wav", folder / "edge-audio.toml"
        with wave.open(str(board.DEMO / "claps.wav")) as source, wave.open(str(sounds), "wb") as claps:
            claps.setparams(source.getparams())
            for seconds in map(float, CLAPS):
                source.setpos(round(seconds * source.getframerate()))
                claps.writeframes(source.readframes(2 * source.getframerate()))
        command = ["flock", "--nonblock", str(folder / "card"), sys.executable, player.__file__, str(sounds)]
        self.settings.write_text(f'[source]\nkind = "command"\ncommand = {json.dumps(command)}\n', encoding="utf-8")

    @contextmanager
    def runs(self) -> Iterator[Looker]:
        """The appliance, hearing, until the block ends; one who looks at it."""
        with board.hearing(self.state, self.settings.read_text(encoding="utf-8")):
            wait_for((self.state / "watch.sock").exists)
            looker = Looker(self.state)
            try:
                looker.until(lambda _: bool(looker.kinds("hearing")))
                yield looker
            finally:
                looker.client.close()

    def options(self, *words: str) -> list[str]:
        return [*words, "--config", str(self.settings), "--state-dir", str(self.state)]


@pytest.fixture
def kitchen(tmp_path: Path) -> Board:
    return Board(tmp_path)


def ask(looker: Looker, verb: str) -> None:
    looker.client.command(verb, request=verb)
    looker.until(lambda told: any(each.get("request") == verb for each in told))


def test_a_taught_sound_comes_through_the_appliance_which_then_hears_it(kitchen: Board,
                                                                       capsys: pytest.CaptureFixture[str]) -> None:
    teach = kitchen.options("teach", "our_clap", "--microphone", "--count", "5")
    with kitchen.runs() as looker:
        assert main(teach) == 0
        said = capsys.readouterr().err
        assert said.startswith(THROUGH) and "heard 5 of 5" in said
        assert said.endswith("taught our_clap to starter; the running appliance has taken it up\n")
        looker.until(lambda _: any(told["event"]["target"] == "our_clap" for told in looker.kinds("event")))
        assert main(kitchen.options("teach", "--undo")) == 0
        assert capsys.readouterr().err == "the running appliance has taken it up\n"
        looker.until(lambda _: "our_clap" not in [each["target"] for each in looker.kinds("about")[-1]["about"]["targets"]])
    assert main(teach) == 0, "from the microphone itself"
    said = capsys.readouterr().err
    assert THROUGH not in said and "heard 5 of 5" in said and "systemctl reload" in said


def test_the_room_is_heard_through_the_appliance_which_then_serves_what_was_set(kitchen: Board,
                                                                               capsys: pytest.CaptureFixture[str]) -> None:
    def threshold(looker: Looker) -> tuple[float, str]:
        return next((each["threshold"], each["by"]) for each in looker.kinds("about")[-1]["about"]["targets"]
                    if each["target"] == "typing")

    with kitchen.runs() as looker:
        before = threshold(looker)
        assert main(kitchen.options("calibrate", "--minutes", "0.1", "--target", "typing", "--format", "json")) == 0
        told = capsys.readouterr()
        assert THROUGH in told.err and told.err.endswith("the running appliance has taken it up\n")
        set_to = json.loads(told.out)["targets"]["typing"]["threshold"]
        looker.until(lambda _: threshold(looker) != before)
        assert threshold(looker)[0] == pytest.approx(set_to, abs=1e-3)


def test_a_muted_appliance_is_an_error_at_once(kitchen: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with kitchen.runs() as looker:
        ask(looker, "mute")
        looker.until(lambda _: looker.kinds("about")[-1]["about"]["muted"])
        for words in (("teach", "our_clap", "--microphone"), ("calibrate", "--minutes", "0.1")):
            assert main(kitchen.options(*words)) == 2
            said = capsys.readouterr().err
            assert "running appliance: found muted; wanted one that hears" in said and THROUGH not in said
    assert main(kitchen.options("teach", "--list")) == 0
    assert "nothing was taught" in capsys.readouterr().out


def test_an_appliance_that_stops_meanwhile_is_an_error_and_nothing_is_kept(kitchen: Board,
                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    with kitchen.runs():
        learner = subprocess.Popen([sys.executable, "-m", "edge", *kitchen.options("teach", "our_clap", "--microphone")],
                                   cwd=board.ROOT, stderr=subprocess.PIPE, text=True)
        assert learner.stderr is not None
        assert "heard 1 of 10" in next((line for line in learner.stderr if "heard" in line), "")
    with learner:
        assert learner.wait(board.PATIENCE_SECONDS) == 2
        assert "running appliance: found its end; wanted one that runs until enough was heard" in learner.stderr.read()
    assert main(kitchen.options("teach", "--list")) == 0
    assert "nothing was taught" in capsys.readouterr().out
