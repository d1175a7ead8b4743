"""The watch socket with real sockets and real processes: who may look, what is told, and that nobody waits."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from edge.errors import SinkError
from edge.sinks.watch import WatchSink
from edge.sinks.watch_client import WatchClient
from edge.sinks.watch_queue import QUEUE_MESSAGES
from edge.sinks.watch_server import WATCHERS
from edge.sinks.watch_socket import NAME, listening
from edge.stream import Event, Hearing, Scores, TargetHearing

PATIENCE_SECONDS = 20.0
NOBODY = 65_534


def hearing(position: int = 0) -> Hearing:
    return Hearing(position, -30.0, -60.0, True, (("clap", 0.9),) * 10, (TargetHearing("clap", "clap", 0.9, 0.5),) * 12)


class Looker:
    """A watcher with a memory."""

    all: ClassVar[list[Looker]] = []

    def __init__(self, state_dir: Path) -> None:
        self.client = WatchClient(state_dir)
        self.all.append(self)
        self.told: list[Any] = []

    def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """Read until what was told is enough."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(self.told) and not self.client.ended:
            assert time.monotonic() < deadline, f"not told within {PATIENCE_SECONDS} s: {len(self.told)} messages"
            select.select([self.client], [], [], 0.2)
            self.told += self.client.take()
        return self.told

    def kinds(self, kind: str) -> list[Any]:
        return [told for told in self.told if told["kind"] == kind]


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    yield
    while Looker.all:
        Looker.all.pop().client.close()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[WatchSink]:
    sink = WatchSink(tmp_path / "state", "kitchen", lambda: {"model": "starter", "source": "ok"})
    sink.start()
    yield sink
    sink.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def look(sink: WatchSink) -> Looker:
    looker = Looker(sink.path.parent)
    looker.until(lambda told: bool(told))
    return looker


def test_a_watcher_is_told_who_it_is_then_hearings_and_events(sink: WatchSink, make_event: Callable[..., Event]) -> None:
    looker = look(sink)
    sink.hearing(hearing(3_840))
    sink.event(make_event("start"))
    looker.until(lambda told: len(told) >= 3)
    assert [told["kind"] for told in looker.told] == ["about", "hearing", "event"]
    assert looker.told[0]["device"] == "kitchen" and looker.told[0]["about"]["model"] == "starter"
    assert (looker.told[1]["start"], looker.told[1]["end"]) == (3_840, 19_440)
    assert looker.told[2]["event"]["device"] == "kitchen"


def test_nobody_but_the_user_may_open_it_and_it_is_taken_away(sink: WatchSink) -> None:
    assert stat.S_IMODE(sink.path.stat().st_mode) == 0o600
    assert [path.name for path in sink.path.parent.iterdir()] == [NAME]
    sink.stop()
    sink.stop()
    assert not sink.path.parent.exists(), "the folder was made for it alone"


def test_a_folder_that_was_there_or_is_in_use_stays(tmp_path: Path) -> None:
    sink = WatchSink(tmp_path / "state", "d")
    sink.start()
    (tmp_path / "state" / "models").mkdir()
    sink.stop()
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["models"]


def test_while_nobody_watches_nothing_is_kept_but_events_and_their_thread_sleeps(
        sink: WatchSink, make_event: Callable[..., Event]) -> None:
    look(sink).client.close()
    wait_for(lambda: not sink.watching)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "watch"]
    before = ""
    while before != (before := _switches(thread)):
        time.sleep(0.3)  # until it has gone to sleep
    for number in range(100):
        sink.hearing(hearing(number))
    sink.event(make_event("start", peak=Scores(0, np.zeros(3, np.float32))))
    time.sleep(1.5)  # longer than it looks about while somebody watches
    assert _switches(thread) == before, "it woke"
    assert [told["kind"] for told in look(sink).until(lambda told: len(told) >= 2)] == ["about", "event"]


def _switches(thread: threading.Thread) -> str:
    """How often the system has put this thread to sleep and woken it."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text(encoding="utf-8")
    return "".join(line for line in status.splitlines() if "ctxt_switches" in line)


def test_who_comes_late_is_told_what_happened_once(sink: WatchSink, make_event: Callable[..., Event]) -> None:
    """Events that are on their way to the first watcher while the second is greeted are not told it twice."""
    first = look(sink)
    for _ in range(10):
        sink.event(make_event("start"))
    second = look(sink)
    for _ in range(10):
        sink.event(make_event("start"))
    for looker in (first, second):
        looker.until(lambda told: len([1 for each in told if each["kind"] == "event"]) >= 20)
        assert [told["event"]["sequence"] for told in looker.kinds("event")] == list(range(1, 21))


def test_one_that_stalls_loses_messages_and_is_told_how_many_and_the_others_lose_none(
        sink: WatchSink, make_event: Callable[..., Event]) -> None:
    lookers = [look(sink) for _ in range(3)]
    stalled, *awake = lookers
    count = 400
    for number in range(count):
        sink.hearing(hearing(number))
        for looker in awake:
            looker.until(lambda told, number=number: told[-1].get("start") == number)
    sink.event(make_event("end"))
    for looker in awake:
        looker.until(lambda told: told[-1]["kind"] == "event")
        assert [told["start"] for told in looker.kinds("hearing")] == list(range(count))
        assert looker.kinds("lost") == []
    stalled.until(lambda told: any(each["kind"] == "lost" for each in told))
    heard = [told["start"] for told in stalled.kinds("hearing")]
    assert heard == sorted(heard) and len(heard) >= QUEUE_MESSAGES // 2
    assert len(stalled.kinds("event")) == 1, "an event goes last"
    assert sum(told["messages"] for told in stalled.kinds("lost")) == count - len(heard)


def test_a_killed_watcher_is_forgotten(sink: WatchSink, tmp_path: Path) -> None:
    script = ("import pathlib, sys, time\nfrom edge.sinks.watch_client import WatchClient\n"
              "client = WatchClient(pathlib.Path(sys.argv[1]))\nprint('here', flush=True)\ntime.sleep(100)")
    with subprocess.Popen([sys.executable, "-c", script, str(sink.path.parent)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"here\n"
        wait_for(lambda: sink.watching)
        process.kill()
        process.wait()
        for number in range(100):
            sink.hearing(hearing(number))
        wait_for(lambda: not sink.watching)
    looker = look(sink)
    sink.hearing(hearing(7))
    assert looker.until(lambda told: len(told) >= 2)[1]["start"] == 7


def test_one_too_many_is_told_so(sink: WatchSink) -> None:
    lookers = [look(sink) for _ in range(WATCHERS)]
    extra = Looker(sink.path.parent)
    extra.until(lambda _: False)
    assert [told["kind"] for told in extra.told] == ["refused"] and "watch already" in extra.told[0]["reason"]
    lookers.pop().client.close()
    wait_for(lambda: _let_in(sink))


def _let_in(sink: WatchSink) -> bool:
    return look(sink).told[0]["kind"] == "about"


def test_the_end_is_told(sink: WatchSink) -> None:
    looker = look(sink)
    sink.stop()
    looker.until(lambda _: False)
    assert looker.told[-1]["kind"] == "bye" and looker.client.ended


def test_a_change_of_the_appliances_state_is_told(tmp_path: Path) -> None:
    states = {"source": "ok"}
    sink = WatchSink(tmp_path, "d", lambda: dict(states))
    sink.start()
    looker = look(sink)
    states["source"] = "no microphone matches 'USB'"
    looker.until(lambda told: len(told) >= 2)
    assert looker.told[1]["about"] == states
    sink.stop()


def test_the_socket_of_a_killed_appliance_is_replaced(tmp_path: Path) -> None:
    listening(tmp_path / NAME).close()
    assert (tmp_path / NAME).is_socket()
    with pytest.raises(SinkError, match="no appliance"):
        WatchClient(tmp_path)
    sink = WatchSink(tmp_path, "d")
    sink.start()
    assert sink.state == "ok" and look(sink).told
    sink.stop()


def test_a_second_appliance_goes_on_without_and_leaves_the_first_its_socket(
        sink: WatchSink, caplog: pytest.LogCaptureFixture, make_event: Callable[..., Event]) -> None:
    second = WatchSink(sink.path.parent, "other")
    second.start()
    assert "another appliance" in second.state and "--state-dir" in caplog.text
    second.event(make_event("start"))
    second.hearing(hearing())
    assert not second.watching
    second.stop()
    assert look(sink).told[0]["device"] == "kitchen"


@pytest.mark.parametrize("what", ["file", "folder is a file"])
def test_what_is_in_the_way_is_named_and_left_alone(tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "state" if what == "folder is a file" else tmp_path / NAME
    blocked.write_text("mine")
    sink = WatchSink(tmp_path / "state" if what == "folder is a file" else tmp_path, "d")
    sink.start()
    sink.stop()
    assert sink.state != "ok" and str(tmp_path) in caplog.text
    assert blocked.read_text() == "mine"


def test_a_path_that_is_too_long_for_a_socket_serves_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    sink = WatchSink(folder, "d")
    sink.start()
    assert sink.state == "ok" and look(sink).told[0]["kind"] == "about"
    assert stat.S_IMODE(sink.path.stat().st_mode) == 0o600
    sink.stop()


def test_no_appliance_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"no appliance.*edge-audio run.*--state-dir"):
        WatchClient(tmp_path)


def test_a_side_that_is_no_appliance_is_refused(tmp_path: Path) -> None:
    with listening(tmp_path / NAME) as listener:
        client = WatchClient(tmp_path)
        select.select([listener], [], [], PATIENCE_SECONDS)
        other, _ = listener.accept()
        with other:
            other.sendall(b"HTTP/1.1 400 Bad Request\r\n")
            select.select([client], [], [], PATIENCE_SECONDS)
            with pytest.raises(SinkError, match="same edge-audio"):
                client.take()
        client.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("opened", [False, True], ids=["by the mode", "by who asks, though the mode was opened"])
def test_another_user_is_refused(opened: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        sink = WatchSink(Path(name), "kitchen")
        sink.start()
        if opened:
            sink.path.chmod(0o666)
        script = (f"import os, socket\nos.setuid({NOBODY})\ns = socket.socket(socket.AF_UNIX)\n"
                  f"s.settimeout(10)\ns.connect({str(sink.path)!r})\nprint(s.recv(1000))")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert ("b''" in done.stdout) if opened else ("PermissionError" in done.stderr), done
        assert not sink.watching
        sink.stop()


def test_a_stopped_appliance_keeps_nobody_waiting_for_ever(tmp_path: Path) -> None:
    """Its queue of connections is full, nobody takes them in: the newcomer gives up and says so."""
    script = ("import pathlib, sys, time\nfrom edge.sinks.watch import WatchSink\n"
              "sink = WatchSink(pathlib.Path(sys.argv[1]), 'd')\nsink.start()\nprint('here', flush=True)\ntime.sleep(100)")
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGSTOP)
        waiting: list[socket.socket] = []
        try:
            with pytest.raises(SinkError, match=r"timed out|unavailable"):
                for _ in range(50):
                    waiting.append(WatchClient(tmp_path)._connection)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            for connection in waiting:
                connection.close()


def test_each_line_is_json(sink: WatchSink) -> None:
    """For those who read the socket without this program."""
    raw = socket.socket(socket.AF_UNIX)
    with raw:
        raw.settimeout(PATIENCE_SECONDS)
        raw.connect(str(sink.path)) if len(str(sink.path)) < 100 else pytest.skip("a long temporary folder")
        assert json.loads(raw.makefile("rb").readline())["kind"] == "about"
