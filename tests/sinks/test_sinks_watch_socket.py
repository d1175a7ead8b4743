"""The watch socket itself: who may look, what may be in its way, and what is left behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.sink import WatchSink
from edge.sinks.watching.socket import NAME, listening
from edge.stream import Event, Hearing
from tests.sinks.looking import PATIENCE_SECONDS, look

NOBODY = 65_534


def test_nobody_but_the_user_may_open_it_and_it_is_taken_away(watch_sink: WatchSink) -> None:
    assert stat.S_IMODE(watch_sink.path.stat().st_mode) == 0o600
    assert [path.name for path in watch_sink.path.parent.iterdir()] == [NAME]
    watch_sink.stop()
    watch_sink.stop()
    assert list(watch_sink.path.parent.iterdir()) == []
    assert stat.S_IMODE(watch_sink.path.parent.stat().st_mode) == 0o700


def test_a_folder_that_was_there_or_is_in_use_stays(tmp_path: Path) -> None:
    sink = WatchSink(tmp_path / "state", "d")
    sink.start()
    (tmp_path / "state" / "models").mkdir()
    sink.stop()
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["models"]


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
        watch_sink: WatchSink, caplog: pytest.LogCaptureFixture, make_event: Callable[..., Event]) -> None:
    second = WatchSink(watch_sink.path.parent, "other")
    second.start()
    assert "another appliance" in second.state and "--state-dir" in caplog.text
    second.event(make_event("start"))
    second.hearing(Hearing(0, -30.0, -60.0, True, (), ()))
    assert not second.watching
    second.stop()
    assert look(watch_sink).told[0]["device"] == "kitchen"


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


@pytest.mark.big
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("opened", [False, True], ids=["by the mode", "by who asks, though the mode was opened"])
def test_another_user_is_refused(opened: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        sink = WatchSink(Path(name), "kitchen")
        sink.start()
        if opened:
            sink.path.chmod(0o666)
        script = (f"import os, socket\nos.setuid({NOBODY})\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                  f"s.settimeout(10)\ns.connect({str(sink.path)!r})\nprint(s.recv(1000))")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert ("b''" in done.stdout) if opened else ("PermissionError" in done.stderr), done
        assert not sink.watching
        sink.stop()


@pytest.mark.big
def test_a_stopped_appliance_keeps_nobody_waiting_for_ever(tmp_path: Path) -> None:
    """Its queue of connections is full, nobody takes them in: the newcomer gives up and says so."""
    script = ("import pathlib, sys, time\nfrom edge.sinks.watching.sink import WatchSink\n"
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
