"""Requests through real sockets: who asks is answered, alone; a flood, a stalled or a dead watcher makes nobody wait."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.control.commands import Command, Mute, Outcome
from edge.errors import CommandError, SinkError
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.sink import WatchSink
from edge.sinks.watching.watcher import BURST
from edge.stream import Event, Hearing
from tests.sinks.looking import Looker, look, wait_for


class Board:
    """A watch socket whose commands wait until they are done, and a clock that moves when told to."""

    def __init__(self, state_dir: Path) -> None:
        self.seconds = 100.0
        self.asked: list[tuple[Command, Callable[[Outcome], None]]] = []
        self.full = False
        self.sink = WatchSink(state_dir, "kitchen", act=self.act, counters=lambda: {"blocks": 7}, pins={"17": False},
                              monotonic=lambda: self.seconds)
        self.sink.start()

    def act(self, command: Command, answer: Callable[[Outcome], None]) -> bool:
        if not self.full:
            self.asked.append((command, answer))
        return not self.full

    def done(self, count: int) -> None:
        """Do so many commands, in a thread of its own, as the steering does."""
        wait_for(lambda: len(self.asked) >= count)
        for _, answer in self.asked:
            worker = threading.Thread(target=answer, args=({"pins": []},))
            worker.start()
            worker.join()
        self.asked.clear()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    board = Board(tmp_path / "state")
    yield board
    board.sink.stop()


def answers(looker: Looker, count: int) -> list[dict[str, object]]:
    looker.until(lambda _: len(looker.kinds("answer")) >= count)
    return looker.kinds("answer")


def test_a_command_is_done_and_answered_to_who_asked(board: Board) -> None:
    first, second = look(board.sink), look(board.sink)
    first.client.command("mute", seconds=600, request="m1")
    wait_for(lambda: bool(board.asked))
    assert [command for command, _ in board.asked] == [Mute("m1", 600)] and not first.kinds("answer")
    board.done(1)
    (answer,) = answers(first, 1)
    assert (answer["command"], answer["request"], answer["ok"], answer["pins"]) == ("mute", "m1", True, [])
    second.client.command("unmute")
    board.done(1)
    assert [answer["command"] for answer in answers(second, 1)] == ["unmute"], "not the first one's"


def test_what_is_refused_is_answered_at_once(board: Board) -> None:
    looker = look(board.sink)
    looker.client.command("reboot", request="r")
    looker.client.command("mute", seconds=-1)
    board.full = True
    answers(looker, 2)
    looker.client.command("mute", request="late")
    told = answers(looker, 3)
    assert [(each["command"], each["request"], each["ok"]) for each in told] == [
        ("unknown", "r", False), ("unknown", None, False), ("mute", "late", False)]
    assert "wanted one of mute" in str(told[0]["error"]) and "too many commands at work" in str(told[2]["error"])


def test_an_outcome_that_is_an_error_is_answered_and_logged(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    looker = look(board.sink)
    looker.client.command("identify")
    wait_for(lambda: bool(board.asked))
    board.asked[0][1](CommandError("listener", found="no answer", wanted="one that hears"))
    (answer,) = answers(looker, 1)
    assert answer["error"] == "listener: found no answer; wanted one that hears"
    assert "watch: command identify: refused: listener" in caplog.text


def test_wishes_are_each_watchers_own_and_replace_one_another(board: Board) -> None:
    keen, plain = look(board.sink), look(board.sink)
    keen.client.want("pins", "health", request="w1")
    keen.until(lambda _: bool(keen.kinds("health")))
    assert keen.kinds("answer")[0]["want"] == ["health", "pins"] and keen.kinds("answer")[0]["request"] == "w1"
    assert keen.kinds("pins")[0]["pins"] == {"17": False} and keen.kinds("health")[0]["health"]["blocks"] == 7
    board.sink.pin("17", True)
    keen.until(lambda _: len(keen.kinds("pins")) >= 2)
    assert keen.kinds("pins")[1]["pins"] == {"17": True}
    keen.client.want()
    answers(keen, 2)
    board.sink.pin("17", False)
    board.sink.hearing(Hearing(0, -30.0, -60.0, True, (), ()))
    for looker in (keen, plain):
        looker.until(lambda told: told[-1]["kind"] == "hearing")
    assert len(keen.kinds("pins")) == 2 and {told["kind"] for told in plain.told} == {"about", "hearing"}


def insists(looker: Looker) -> str:
    """Ask once more; what kept it from being asked."""
    looker.told += looker.client.take()
    try:
        looker.client.command("identify")
    except SinkError as error:
        return error.found
    return ""


def test_too_many_are_refused_and_who_goes_on_is_hung_up_on(board: Board) -> None:
    looker, other = look(board.sink), look(board.sink)
    for number in range(BURST + 3):
        looker.client.command("identify", request=str(number))
    told = answers(looker, 3)
    assert [each["found"] for each in told] == ["too many"] * 3 and len(board.asked) == BURST
    board.seconds += 1.0
    looker.client.command("identify", request="later")
    board.done(BURST + 1)
    assert answers(looker, BURST + 4)[-1]["request"] == "later"
    wait_for(lambda: insists(looker) == "no appliance any more")
    looker.until(lambda _: False)
    assert looker.told[-1]["kind"] == "refused" and looker.told[-1]["reason"] == "too many requests"
    board.sink.hearing(Hearing(0, -30.0, -60.0, True, (), ()))
    other.until(lambda told: told[-1]["kind"] == "hearing")


def test_odd_packets_through_the_socket_are_answered(board: Board) -> None:
    looker = look(board.sink)
    for packet in (b"\x00" * 5_000, b"null", b"\xff\xfe", b'{"want": ["' + b"a" * 2_000 + b'"]}', b"[" * 1_000):
        looker.client._connection.send(packet)
    assert [answer["ok"] for answer in answers(looker, 5)] == [False] * 5
    looker.client.want("pins")
    assert answers(looker, 6)[-1]["ok"] is True


def test_who_does_not_read_its_answers_makes_nobody_wait(board: Board, make_event: Callable[..., Event]) -> None:
    deaf, other = look(board.sink), look(board.sink)
    deaf.client.command("identify")
    wait_for(lambda: bool(board.asked))
    answer = board.asked[0][1]
    for _ in range(5_000):
        answer({"pins": ["x" * 200]})
    board.sink.event(make_event("start"))
    other.until(lambda _: bool(other.kinds("event")))
    assert other.kinds("answer") == []
    deaf.until(lambda _: bool(deaf.kinds("answer")))
    wait_for(lambda: deaf.client.take() == [])
    board.sink.event(make_event("end"))
    deaf.until(lambda _: bool(deaf.kinds("lost")))


def test_an_answer_to_who_has_left_goes_nowhere(board: Board) -> None:
    looker = look(board.sink)
    looker.client.command("identify")
    wait_for(lambda: bool(board.asked))
    looker.client.close()
    wait_for(lambda: not board.sink.watching)
    board.done(1)
    assert look(board.sink).told[0]["kind"] == "about" and board.sink.state == "ok"


def test_what_was_asked_before_hanging_up_is_done(board: Board) -> None:
    client = WatchClient(board.sink.path.parent)
    for _ in range(3):
        client.command("unmute")
    client.close()
    wait_for(lambda: len(board.asked) == 3 and not board.sink.watching)


def test_what_was_asked_by_who_left_without_reading_is_done(board: Board) -> None:
    """The kernel then tells of a reset before it hands over what was asked."""
    client = WatchClient(board.sink.path.parent)
    wait_for(lambda: board.sink.watching)
    with board.sink._audience._lock:  # so that the sink's thread comes to the requests after the hanging up
        client.command("identify")
        wait_for(lambda: bool(select.select([client], [], [], 0)[0]))
        client.command("unmute")
        client.close()
    wait_for(lambda: len(board.asked) == 2 and not board.sink.watching)


def test_who_shuts_down_its_own_side_still_hears_the_answer_and_the_bye(board: Board) -> None:
    looker = look(board.sink)
    looker.client.command("identify")
    looker.client._connection.shutdown(socket.SHUT_WR)
    board.done(1)
    assert answers(looker, 1)[0]["ok"] is True
    board.sink.hearing(Hearing(0, -30.0, -60.0, True, (), ()))
    looker.until(lambda told: told[-1]["kind"] == "hearing")
    board.sink.stop()
    looker.until(lambda _: False)
    assert looker.told[-1]["kind"] == "bye"


def test_the_bye_reaches_who_has_just_asked(board: Board) -> None:
    """Closing a socket with packets unread would tell the other side of a reset instead."""
    looker = look(board.sink)
    board.sink._door.take = lambda *_: not threading.Event().wait(0.5)  # type: ignore[method-assign]
    for _ in range(5):
        looker.client.command("identify")
    board.sink.stop()
    looker.until(lambda _: False)
    assert looker.told[-1]["kind"] == "bye"


@pytest.mark.big
def test_the_line_of_the_guide_serves(board: Board) -> None:
    if subprocess.run(["sh", "-c", "command -v socat"], capture_output=True, check=False).returncode:
        pytest.skip("socat is not here")
    with subprocess.Popen(["socat", "-t", "20", "-", f"UNIX-CONNECT:{board.sink.path},type=5"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as socat:
        assert socat.stdin is not None and socat.stdout is not None
        socat.stdin.write(b'{"command": "mute", "seconds": 600}\n')
        socat.stdin.close()
        board.done(1)
        line = next(line for line in socat.stdout if b'"answer"' in line)
        assert json.loads(line)["command"] == "mute"
        socat.kill()
