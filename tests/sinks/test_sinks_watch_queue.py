"""What waits for a watcher that does not read: bounded, whole lines, events before hearings, losses told."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edge.sinks.watching.queue import Waiting


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_is_put_is_sent_in_order(pair: tuple[socket.socket, socket.socket]) -> None:
    waiting = Waiting(pair[0])
    for text in (b"a\n", b"b\n"):
        waiting.put(text)
    waiting.send()
    assert pair[1].recv(100) == b"a\nb\n" and not waiting.busy


def test_the_oldest_hearing_goes_before_any_event(pair: tuple[socket.socket, socket.socket]) -> None:
    waiting = Waiting(pair[0], limit=3)
    for text, minor in ((b"event 1\n", False), (b"hearing 1\n", True), (b"hearing 2\n", True), (b"event 2\n", False)):
        waiting.put(text, minor=minor)
    assert waiting.lost == 1
    for text in (b"event 3\n", b"event 4\n"):
        waiting.put(text)
    assert waiting.lost == 3
    waiting.send()
    assert pair[1].recv(100) == b"event 2\nevent 3\nevent 4\n"
    assert (waiting.take_lost(), waiting.take_lost()) == (3, 0)


def test_a_line_that_was_begun_is_finished(pair: tuple[socket.socket, socket.socket]) -> None:
    """However little the other side takes at a time, it never sees half a line before another."""
    waiting = Waiting(pair[0], limit=4)
    lines = [b"%d" % number * 9_999 + b"\n" for number in range(40)]
    received = b""
    for line in lines:
        waiting.put(line, minor=True)
        waiting.send()
    assert waiting.busy and waiting.lost
    while waiting.busy:
        received += pair[1].recv(5_000)
        waiting.send()
    pair[1].setblocking(False)
    while True:
        try:
            received += pair[1].recv(65_536)
        except BlockingIOError:
            break
    whole = received.splitlines(keepends=True)
    assert all(line in lines for line in whole)
    assert len(whole) == len(lines) - waiting.lost


def test_a_watcher_that_hung_up_is_gone_and_one_that_talks_is_not(pair: tuple[socket.socket, socket.socket]) -> None:
    waiting = Waiting(pair[0])
    assert not waiting.gone()
    pair[1].send(b"hello?")
    assert not waiting.gone()
    pair[1].close()
    assert waiting.gone()
    waiting.put(b"x\n")
    with pytest.raises(OSError):
        waiting.send()
