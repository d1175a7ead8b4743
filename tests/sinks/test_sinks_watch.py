"""What watchers are told through real sockets: each for itself, whoever stalls or is killed; nobody waits."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.sinks.watching.sink import WATCHERS, WatchSink
from edge.stream import Event, Hearing, Scores, TargetHearing
from tests.sinks.looking import PATIENCE_SECONDS, Looker, look, wait_for


def hearing(position: int = 0) -> Hearing:
    return Hearing(position, -30.0, -60.0, True, (("clap", 0.9),) * 10, (TargetHearing("clap", "clap", 0.9, 0.5),) * 12)


def test_a_watcher_is_told_who_it_is_then_hearings_and_events(watch_sink: WatchSink,
                                                              make_event: Callable[..., Event]) -> None:
    looker = look(watch_sink)
    watch_sink.hearing(hearing(3_840))
    watch_sink.event(make_event("start"))
    looker.until(lambda told: len(told) >= 3)
    assert [told["kind"] for told in looker.told] == ["about", "hearing", "event"]
    assert looker.told[0]["device"] == "kitchen" and looker.told[0]["about"]["model"] == "starter"
    assert (looker.told[1]["start"], looker.told[1]["end"]) == (3_840, 19_440)
    assert looker.told[2]["event"]["device"] == "kitchen"


def test_while_nobody_watches_nothing_is_kept_but_events_and_their_thread_sleeps(
        watch_sink: WatchSink, make_event: Callable[..., Event]) -> None:
    look(watch_sink).client.close()
    wait_for(lambda: not watch_sink.watching)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "watch"]
    before = ""
    while before != (before := _switches(thread)):
        time.sleep(0.3)  # until it has gone to sleep
    for number in range(100):
        watch_sink.hearing(hearing(number))
    watch_sink.event(make_event("start", peak=Scores(0, np.zeros(3, np.float32))))
    time.sleep(1.5)  # longer than it looks about while somebody watches
    assert _switches(thread) == before, "it woke"
    assert [told["kind"] for told in look(watch_sink).until(lambda told: len(told) >= 2)] == ["about", "event"]


def _switches(thread: threading.Thread) -> str:
    """How often the system has put this thread to sleep and woken it."""
    status = Path(f"/proc/self/task/{thread.native_id}/status").read_text(encoding="utf-8")
    return "".join(line for line in status.splitlines() if "ctxt_switches" in line)


def test_who_comes_late_is_told_what_happened_once(watch_sink: WatchSink, make_event: Callable[..., Event]) -> None:
    """Events that are on their way to the first watcher while the second is greeted are not told it twice."""
    first = look(watch_sink)
    for _ in range(10):
        watch_sink.event(make_event("start"))
    second = look(watch_sink)
    for _ in range(10):
        watch_sink.event(make_event("start"))
    for looker in (first, second):
        looker.until(lambda told: len([1 for each in told if each["kind"] == "event"]) >= 20)
        assert [told["event"]["sequence"] for told in looker.kinds("event")] == list(range(1, 21))


def test_one_that_stalls_loses_messages_and_is_told_how_many_and_the_others_lose_none(
        watch_sink: WatchSink, make_event: Callable[..., Event]) -> None:
    lookers = [look(watch_sink) for _ in range(3)]
    stalled, *awake = lookers
    count = 400
    for number in range(count):
        watch_sink.hearing(hearing(number))
        for looker in awake:
            looker.until(lambda told, number=number: told[-1].get("start") == number)
    watch_sink.event(make_event("end"))
    for looker in awake:
        looker.until(lambda told: told[-1]["kind"] == "event")
        assert [told["start"] for told in looker.kinds("hearing")] == list(range(count))
        assert looker.kinds("lost") == []
    stalled.until(lambda told: any(each["kind"] == "lost" for each in told))
    heard = [told["start"] for told in stalled.kinds("hearing")]
    assert heard == sorted(heard) and len(heard) >= 32
    assert len(stalled.kinds("event")) == 1, "an event goes last"
    assert sum(told["messages"] for told in stalled.kinds("lost")) == count - len(heard)


@pytest.mark.big
def test_a_killed_watcher_is_forgotten(watch_sink: WatchSink, tmp_path: Path) -> None:
    script = ("import pathlib, sys, time\nfrom edge.sinks.watching.client import WatchClient\n"
              "client = WatchClient(pathlib.Path(sys.argv[1]))\nprint('here', flush=True)\ntime.sleep(100)")
    with subprocess.Popen([sys.executable, "-c", script, str(watch_sink.path.parent)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"here\n"
        wait_for(lambda: watch_sink.watching)
        process.kill()
        process.wait()
        for number in range(100):
            watch_sink.hearing(hearing(number))
        wait_for(lambda: not watch_sink.watching)
    looker = look(watch_sink)
    watch_sink.hearing(hearing(7))
    assert looker.until(lambda told: len(told) >= 2)[1]["start"] == 7


def test_one_too_many_is_told_so(watch_sink: WatchSink) -> None:
    lookers = [look(watch_sink) for _ in range(WATCHERS)]
    extra = Looker(watch_sink.path.parent)
    extra.until(lambda _: False)
    assert [told["kind"] for told in extra.told] == ["refused"] and "watch already" in extra.told[0]["reason"]
    lookers.pop().client.close()
    wait_for(lambda: _let_in(watch_sink))


def _let_in(watch_sink: WatchSink) -> bool:
    return look(watch_sink).told[0]["kind"] == "about"


def test_the_end_is_told(watch_sink: WatchSink) -> None:
    looker = look(watch_sink)
    watch_sink.stop()
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


def test_each_line_is_json(watch_sink: WatchSink) -> None:
    """For those who read the socket without this program."""
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with raw:
        raw.settimeout(PATIENCE_SECONDS)
        raw.connect(str(watch_sink.path)) if len(str(watch_sink.path)) < 100 else pytest.skip("a long temporary folder")
        line = raw.recv(65_536)
        assert json.loads(line)["kind"] == "about" and line.count(b"\n") == 1 and line.endswith(b"\n")
