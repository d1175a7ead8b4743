"""Event lines in real files, pipes and on a device that is always full."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.settings import LogSettings
from edge.sinks import log as log_module
from edge.sinks.log import LogSink
from edge.stream import Event
from edge.topics import encode, event_payload

MakeEvent = Callable[..., Event]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, *events: Event) -> LogSink:
    sink = LogSink(LogSettings(events=str(path)), "kitchen")
    sink.start()
    for event in events:
        sink.event(event)
    sink.stop()
    return sink


def test_each_event_is_one_line_of_the_mqtt_payload(tmp_path: Path, make_event: MakeEvent) -> None:
    events = [make_event(id="a"), make_event("end", id="a"), make_event(target="snap")]
    sink = write(tmp_path / "events.jsonl", *events)
    assert lines(tmp_path / "events.jsonl") == [event_payload(event, device="kitchen", late=False) for event in events]
    assert (sink.state, sink.lost_lines) == ("ok", 0)


def test_a_file_is_appended_to(tmp_path: Path, make_event: MakeEvent) -> None:
    for _ in range(2):
        write(tmp_path / "events.jsonl", make_event())
    assert [line["sequence"] for line in lines(tmp_path / "events.jsonl")] == [1, 2]


def test_a_line_is_there_at_once(tmp_path: Path, make_event: MakeEvent) -> None:
    """Read through a pipe while the sink runs: the read returns when, and only when, the line was written."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    sink = LogSink(LogSettings(events=str(path)), "kitchen")
    sink.start()
    sink.event(make_event())
    assert json.loads(os.read(reader, 65_536))["sequence"] == 1
    sink.stop()
    os.close(reader)


def test_minus_is_standard_output(capfd: pytest.CaptureFixture[str], make_event: MakeEvent) -> None:
    write(Path("-"), make_event())
    assert json.loads(capfd.readouterr().out)["target"] == "clap"


def test_empty_is_nowhere(capfd: pytest.CaptureFixture[str], make_event: MakeEvent) -> None:
    sink = LogSink(LogSettings(events=""), "kitchen")
    sink.start()
    sink.event(make_event())
    sink.stop()
    assert capfd.readouterr().out == ""


def test_a_file_moved_away_is_made_again(tmp_path: Path, make_event: MakeEvent) -> None:
    path, rotated = tmp_path / "events.jsonl", tmp_path / "events.jsonl.1"
    sink = LogSink(LogSettings(events=str(path)), "kitchen")
    sink.start()
    sink._write(encode({"line": 1}).encode() + b"\n")
    path.rename(rotated)
    sink._write(encode({"line": 2}).encode() + b"\n")
    path.unlink()
    path.write_text("")
    sink._write(encode({"line": 3}).encode() + b"\n")
    sink.stop()
    assert (lines(rotated), lines(path)) == ([{"line": 1}], [{"line": 3}])


@pytest.mark.parametrize(("name", "found"), [("no/such/folder", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, name: str, found: str) -> None:
    with pytest.raises(SinkError, match=rf"log\.events .*: found {found}; wanted a file that can be appended to"):
        LogSink(LogSettings(events=str(tmp_path / name)), "kitchen").start()


def test_a_pipe_without_a_reader_is_an_error_and_no_endless_start(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match="No such device or address"):
        LogSink(LogSettings(events=str(tmp_path / "pipe")), "kitchen").start()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_counted_and_said_once(caplog: pytest.LogCaptureFixture, make_event: MakeEvent) -> None:
    sink = write(Path("/dev/full"), *(make_event() for _ in range(5)))
    assert sink.lost_lines == 5
    assert sink.state == "/dev/full cannot be written: No space left on device; 5 lines lost"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_closed_pipe_is_counted_and_not_raised(tmp_path: Path, make_event: MakeEvent) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = LogSink(LogSettings(events=str(path)), "kitchen")
    sink.start()
    os.close(reader)
    sink.event(make_event())
    sink.stop()
    assert sink.lost_lines == 1
    assert "Broken pipe" in sink.state


@pytest.mark.big
def test_only_the_line_that_a_full_disk_cut_is_lost(tmp_path: Path) -> None:
    """A limit on the file's size cuts a write short as a full disk does; later lines must still be whole."""
    path = tmp_path / "events.jsonl"
    story = f"""
import resource, signal
from edge.settings import LogSettings
from edge.sinks.log import LogSink
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sink = LogSink(LogSettings(events={str(path)!r}), "kitchen")
sink.start()
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (6, hard))
sink._write(b'{{"line":1}}\\n')
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
sink._write(b'{{"line":2}}\\n')
sink.stop()
assert sink.lost_lines == 1 and sink.state == "ok"
"""
    subprocess.run([sys.executable, "-c", story], check=True, timeout=60, capture_output=True)
    assert path.read_text() == '{"line\n{"line":2}\n'


def test_a_reader_that_stopped_reading_stops_nobody(tmp_path: Path, make_event: MakeEvent,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody empties fills up: event() returns, the oldest lines go, stop() is bounded."""
    monkeypatch.setattr(log_module, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(log_module, "QUEUE_LINES", 10)
    reader, writer = os.pipe()
    sink = LogSink(LogSettings(events="-"), "kitchen")
    monkeypatch.setattr(log_module.sys, "stdout", os.fdopen(writer, "w", closefd=False))
    sink.start()
    event = make_event(label="x" * 4096)
    caller = threading.Thread(target=lambda: [sink.event(event) for _ in range(100)])
    caller.start()
    caller.join(30)
    assert not caller.is_alive()
    thread = sink._worker.thread
    assert thread is not None
    sink.stop()
    assert sink.lost_lines > 0
    os.set_blocking(reader, False)
    while thread.is_alive():  # let the writer finish what it has
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 1 << 20)
        thread.join(0.01)
    os.close(reader)
    os.close(writer)


@pytest.mark.big
@pytest.mark.parametrize("close", ["import os; os.close(1)", "import sys; sys.stdout.close()", "pass"])
def test_a_closed_standard_output_is_an_error_at_start(close: str) -> None:
    program = (f"{close}\n"
               "from edge.errors import SinkError\n"
               "from edge.settings import LogSettings\n"
               "from edge.sinks.log import LogSink\n"
               "try:\n    LogSink(LogSettings(events='-'), 'kitchen').start()\n"
               "except SinkError as error:\n    import os; os.write(2, str(error).encode())\n")
    redirection = " >&-" if close == "pass" else ""
    done = subprocess.run(["sh", "-c", f'exec "$0" -c "$1"{redirection}', sys.executable, program], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.stderr.startswith("log.events -: found "), done.stderr
    assert "closed; wanted" in done.stderr or "Bad file descriptor; wanted" in done.stderr
