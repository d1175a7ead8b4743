"""Faults of a microphone, each made in the real path: a PulseAudio server, ALSA, PortAudio, the appliance, a broker.

Each is named in health within 10 s, and mended within 30 s of its cause's end, by the settings' own pauses, without a new
start of the program. `make test-microphone` runs them: five minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("pyaudio", reason="PyAudio is not installed: no microphone to test")

from tests.microphone.board import Board
from tests.sources.pulse_server import NAME, missing

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")]

NAMED_SECONDS, MENDED_SECONDS = 10.0, 30.0
SLACK_SECONDS = 5.0
"""For a busy machine, on which PulseAudio, player and appliance are late."""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One appliance for all faults: each must leave it as it was."""
    with Board(tmp_path_factory.mktemp("board")) as one:
        one.health(0.0, lambda health: health["source_trouble"] == "")
        yield one


def unplug(board: Board) -> None:
    board.server.unload(board.module)


def plug(board: Board) -> None:
    board.module = board.server.load_pipe(rate=board.player.rate)


def plug_behind_another(board: Board) -> None:
    """As a card whose number another card took meanwhile: PulseAudio and PortAudio count both differently now."""
    board.server.load_pipe("other", pipe=board.server.pipe.with_name("other.fifo"))
    board.server.number("othermic", "thirdmic", NAME)
    plug(board)


def plug_at_48_khz(board: Board) -> None:
    board.player.rate = 48_000
    plug(board)


def plug_at_16_khz(board: Board) -> None:
    board.player.rate = 16_000
    plug(board)


def give(what: str) -> Callable[[Board], None]:
    return lambda board: setattr(board.player, "gives", what)


def die(board: Board) -> None:
    board.server.end()


def come_back(board: Board) -> None:
    board.server.start()
    plug(board)


def suspend(board: Board) -> None:
    board.server.ask("suspend-source", "pipe", "1")


def resume(board: Board) -> None:
    board.server.ask("suspend-source", "pipe", "0")


FAULTS: dict[str, tuple[Callable[[Board], None], Callable[[Board], None], str, str]] = {
    "vanishes": (unplug, plug, "missing", "microphone"),
    "renumbered": (unplug, plug_behind_another, "missing", "microphone"),
    "zeros": (give("zeros"), give("claps"), "silent", "gives only zeros"),
    "clips": (give("clips"), give("claps"), "clipping", "clips"),
    "stalls": (give("nothing"), give("claps"), "missing", "no sound for 5 s"),
    "suspended": (suspend, resume, "missing", "microphone"),
    "changes rate": (unplug, plug_at_48_khz, "missing", "microphone"),
    "changes rate back": (unplug, plug_at_16_khz, "missing", "microphone"),
    "its server hangs": (lambda board: board.server.freeze(), lambda board: board.server.thaw(), "missing", "microphone"),
    "its server dies": (die, come_back, "missing", "microphone"),
}
"""Cause, its end, and what health says: `source_trouble`, and words in `source`."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_mended(board: Board, fault: str) -> None:
    begin, end, trouble, words = FAULTS[fault]
    broke = time.monotonic()
    begin(board)
    named, health = board.health(broke, lambda health: health["source_trouble"] == trouble)
    assert words in health["source"]
    cured = time.monotonic()
    end(board)
    mended, health = board.health(cured, lambda health: health["source_trouble"] == "")
    assert board.hears_claps(mended) and board.runs
    print(f"{fault}: named after {named - broke:.1f} s, mended after {mended - cured:.1f} s")
    assert named - broke <= NAMED_SECONDS + SLACK_SECONDS, board.said[-3000:]
    assert mended - cured <= MENDED_SECONDS + SLACK_SECONDS, board.said[-3000:]


def test_a_microphone_that_was_away_for_long_is_found_as_soon(board: Board) -> None:
    """The pauses between two looks grow, but never beyond what the owner waits for."""
    broke = time.monotonic()
    unplug(board)
    board.health(broke, lambda health: health["source_trouble"] == "missing")
    away, _ = board.health(broke + 100.0, lambda health: True)
    cured = time.monotonic()
    plug(board)
    mended, _ = board.health(cured, lambda health: health["source_trouble"] == "")
    print(f"away for {away - broke:.0f} s, mended after {mended - cured:.1f} s")
    assert mended - cured <= MENDED_SECONDS + SLACK_SECONDS
    assert board.hears_claps(mended) and board.runs
