"""Commands that print PCM, run for real: `cat`, `sh`, a small Python program."""

from __future__ import annotations

import itertools
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.settings import SourceSettings
from edge.sources.command import Command
from edge.stats import Stats
from edge.stream import Block

pytestmark = pytest.mark.big

PATIENCE_SECONDS = 60.0
SAMPLES = np.arange(-20_000, 20_000, dtype="<i2")


def command(*argv: str, stats: Stats | None = None, **more: object) -> Command:
    settings = SourceSettings(kind="command", command=argv, retry_seconds=0.1, **more)  # type: ignore[arg-type]
    return Command(settings, Stats() if stats is None else stats)


def shell(script: str, stats: Stats | None = None, **more: object) -> Command:
    return command("sh", "-c", script, stats=stats, **more)


def until(source: Command, enough: Callable[[list[Block]], bool]) -> list[Block]:
    """Blocks until there are enough; the source is closed."""
    heard: list[Block] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    for block in source.blocks():
        if block is not None:
            heard.append(block)
        if enough(heard):
            source.close()
        assert time.monotonic() < deadline, f"state {source.state!r} after {len(heard)} blocks"
    return heard


def samples_of(blocks: list[Block]) -> np.ndarray:
    return np.concatenate([block.samples for block in blocks]) if blocks else np.zeros(0, np.int16)


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    path = tmp_path / "sound.raw"
    path.write_bytes(SAMPLES.tobytes())
    return path


@pytest.mark.parametrize(("rate", "channels"), [(0, 0), (48_000, 2)])
def test_printed_samples_are_heard_exactly(pcm: Path, rate: int, channels: int) -> None:
    source = shell(f"cat {shlex.quote(str(pcm))}; sleep 100", rate=rate, channels=channels)
    assert source.live and source.state == "opening"
    blocks = until(source, lambda heard: len(samples_of(heard)) >= 38_400)
    assert {block.format for block in blocks} == {source.format}
    assert (source.format.rate, source.format.channels) == (rate or 16_000, channels or 1)
    assert [block.position for block in blocks] == [i * blocks[0].length for i in range(len(blocks))]
    assert blocks[0].length == source.format.rate // 10
    assert not any(block.gap for block in blocks)
    np.testing.assert_array_equal(samples_of(blocks), SAMPLES[:len(samples_of(blocks))])


def test_a_command_that_ends_is_restarted_and_positions_go_on(pcm: Path) -> None:
    stats = Stats()
    source = command("cat", str(pcm), stats=stats)
    blocks = until(source, lambda heard: len(samples_of(heard)) >= 3 * len(SAMPLES))
    np.testing.assert_array_equal(samples_of(blocks), np.tile(SAMPLES, 3))  # the short last block of each run too
    assert [block.position for block in blocks if block.gap] == [40_000, 80_000]
    assert all(a.position + a.length == b.position for a, b in itertools.pairwise(blocks))
    assert (stats.reopened, stats.gaps, stats.lost_samples) == (2, 2, 0)


def test_half_a_sample_at_the_end_does_not_shift_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "odd.raw"
    path.write_bytes(SAMPLES[:1000].tobytes() + b"xyz")
    source = command("cat", str(path), channels=2)
    blocks = until(source, lambda heard: len(samples_of(heard)) >= 3000)
    np.testing.assert_array_equal(samples_of(blocks)[:3000], np.tile(SAMPLES[:1000], 3))


def test_why_it_ended_is_said_with_its_last_line() -> None:
    source = shell("echo first >&2; echo 'audio open error: No such device' >&2; echo >&2; exit 3")
    states = set()
    for block in source.blocks():
        assert block is None
        states.add(source.state)
        if len(states - {"opening"}) > 0:
            source.close()
    assert states - {"opening"} == {"command sh: its end, exit status 3: audio open error: No such device"}


def test_a_signal_that_ended_it_is_named() -> None:
    source = shell("kill -SEGV $$")
    for _ in source.blocks():
        if source.state != "opening":
            source.close()
    assert source.state == "command sh: its end, signal SIGSEGV"


def test_a_command_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(SourceError, match="command no-such-program-at-all: found no such program; wanted an executable"):
        command("no-such-program-at-all", "--help")


def test_a_file_that_is_not_executable_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("echo hello")
    with pytest.raises(SourceError, match="found no such program"):
        command(str(tmp_path / "script"))


def test_a_channel_that_is_not_printed_is_an_error_at_once() -> None:
    with pytest.raises(SettingsError, match=r"\[source\] channel: found 1; wanted -1 \(the mean\) or 0: command cat"):
        command("cat", channel=1)


def test_none_comes_while_nothing_is_printed() -> None:
    source = shell("sleep 100")
    began = time.monotonic()
    assert next(source.blocks()) is None
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.fixture
def printing_pids(tmp_path: Path) -> Iterator[Path]:
    """A file that a script writes the numbers of its processes to; none may live on."""
    path = tmp_path / "pids"
    yield path
    for pid in map(int, path.read_text().split()):
        wait_for(lambda pid=pid: not alive(pid))  # type: ignore[misc]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_close_ends_all_that_the_command_started(printing_pids: Path) -> None:
    source = shell(f"echo $$ >> {printing_pids}; (sleep 1000 & echo $! >> {printing_pids}; wait) | cat; true")
    for _ in source.blocks():
        if printing_pids.exists() and len(printing_pids.read_text().split()) == 2:
            source.close()


def test_a_command_that_ignores_sigterm_is_killed(printing_pids: Path) -> None:
    source = shell(f"trap '' TERM; echo $$ >> {printing_pids}; while :; do sleep 0.05; done")
    for _ in source.blocks():
        if printing_pids.exists() and printing_pids.read_text().endswith("\n"):
            source.close()


def test_a_command_dies_with_a_loop_that_is_left(printing_pids: Path) -> None:
    source = shell(f"echo $$ >> {printing_pids}; exec cat /dev/zero")
    for block in source.blocks():
        if block is not None:
            break


def test_close_from_another_thread_ends_the_blocks() -> None:
    source = shell("sleep 100")
    blocks = source.blocks()
    next(blocks)
    threading.Timer(0.05, source.close).start()
    began = time.monotonic()
    assert [block for block in blocks if block is not None] == []
    assert time.monotonic() - began < PATIENCE_SECONDS
    source.close()


def test_a_listener_that_is_too_slow_loses_counted_blocks_and_the_command_never_waits(tmp_path: Path) -> None:
    """Back-pressure on the pipe would make arecord overrun unseen: it is read at once, and what does not fit is told."""
    done = tmp_path / "done"
    program = ("import sys, pathlib\n"
               "import array\n"
               "out = sys.stdout.buffer\n"
               "out.write(array.array('h', [i % 30000 for i in range(1600000)]).tobytes()); out.flush()\n"
               f"pathlib.Path({str(done)!r}).touch()\n"
               "import time; time.sleep(1000)")
    stats = Stats()
    source = command(sys.executable, "-c", program, stats=stats, queue_blocks=8)
    blocks = source.blocks()
    first = next(block for block in blocks if block is not None)
    wait_for(done.exists)
    wait_for(lambda: source._crossing.offered == 1_600_000)
    heard = [first]
    for block in blocks:
        if block is None:
            break
        heard.append(block)
    assert len(heard) <= 10
    source._crossing.offer(np.zeros(1600, np.int16))  # the reader is idle: one more block, to carry the gap
    last = next(block for block in blocks if block is not None)
    blocks.close()
    assert last.gap and last.position == 1_600_000
    assert sum(block.length for block in heard) + stats.lost_samples == 1_600_000
    assert stats.gaps == 1 + sum(block.gap for block in heard)
    for block in heard:
        np.testing.assert_array_equal(block.samples, np.arange(block.position, block.position + 1600) % 30_000)


def test_arecord_is_such_a_command() -> None:
    if shutil.which("arecord") is None:
        pytest.skip("arecord (alsa-utils) is not installed")
    source = command("arecord", "-q", "-D", "null", "-t", "raw", "-f", "S16_LE", "-r", "16000", "-c", "1")
    blocks = until(source, lambda heard: len(heard) >= 3)
    assert [block.length for block in blocks] == [1600] * 3  # of what happens to be in memory: null writes nothing


@pytest.mark.parametrize("password", ["secret", "s@cret"])
def test_a_password_that_a_command_prints_is_in_no_state(password: str) -> None:
    source = shell(f"echo 'rtsp://admin:{password}@camera:554/1: Connection refused' >&2; exit 1")
    for _ in source.blocks():
        if source.state != "opening":
            break
    assert source.state.endswith(": rtsp://***@camera:554/1: Connection refused"), source.state


def test_a_password_in_a_command_line_given_as_one_word_is_in_no_error() -> None:
    with pytest.raises(SourceError, match=r"command ffmpeg -i rtsp://\*\*\*@camera/1: found no such program"):
        command("ffmpeg -i rtsp://admin:secret@camera/1")
