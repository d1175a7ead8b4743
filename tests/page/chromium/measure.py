"""What the page costs, and how late what is heard comes: `python -m tests.page.chromium.measure [--rounds 5] [--write]`.

An appliance hears the bundled claps in real time; its page is another process. In each round every state is measured once,
over one whole turn of the recording, so that the sound is the same in all. Figures are medians of the rounds, and 95th
percentiles of all claps or frames. --write puts them into deploy/docs/page.md. Linux, and Debian's Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.sinks.watching.client import WatchClient
from edge.stream import SAMPLE_RATE
from tests.measure_watching import await_hearing, busy_seconds, put_into
from tests.page.chromium.board import DEMO, ROOT, hearing, settings_file, settings_text

GUIDE = ROOT / "deploy" / "docs" / "page.md"
SLEEPS, FIFTY = "nobody looks", "fifty who look, with the spectrogram"
VIEWERS = {SLEEPS: 0, "Prometheus, or anybody within the last 5 minutes": 0, "one who looks, with the spectrogram": 1,
           FIFTY: 50}
"""Live streams, by state. The two without differ in whether anybody was there."""
PATIENCE_SECONDS, SETTLE_SECONDS = 60.0, 2.0
FRAMES = """async ({ begun, seconds }) => {
  // begun: when the first sample sounded, in seconds since 1970.
  const { timeline, RATE } = await import("./timeline.js"), behind = [], marks = [];
  const sounded = (position) => Date.now() / 1000 - begun - position / RATE;
  const seen = new MutationObserver((all) => {
    for (const { addedNodes } of all) for (const mark of addedNodes) marks.push(sounded(Number(mark.dataset.start)));
  });
  seen.observe(document.getElementById("marks"), { childList: true });
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await new Promise(requestAnimationFrame);
    if (timeline.newest !== null) behind.push(sounded(timeline.head));
  }
  seen.disconnect();
  return { behind, marks };
}"""
CHILDREN: dict[str, Sequence[str]] = {
    "a lesson of five sounds": ("teach", "--microphone", "--format", "jsonl", "--count", "5", "our_clap"),
    "a calibration, one minute": ("calibrate", "--format", "jsonl", "--minutes", "1"),
    "a look at what was taught": ("teach", "--list", "--format", "json"),
    "a look at what another threshold would bring": ("calibrate", "--expect", "--format", "json"),
    "a look at the settings": ("check", "--format", "json", *(
        word for part in ("state", "model", "commands", "log", "journal", "service") for word in ("--only", part)))}


@dataclass
class Found:
    """megabytes, share: of the page's memory and of one core, a figure for each round. late: of claps, in seconds."""

    megabytes: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)
    listener: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    fewest_bands: int = 0
    """Messages with bands that came to the viewer who got fewest, in the newest round."""


class Viewers:
    """So many live streams with bands, read by one thread."""

    def __init__(self, port: int, count: int) -> None:
        self._doors = selectors.DefaultSelector()
        self._over = threading.Event()
        self.bands: dict[object, int] = {}
        """How many messages with bands each has had."""
        for _ in range(count):
            door = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
            door.sendall(f"GET /api/live?bands=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            self._doors.register(door, selectors.EVENT_READ)
            self.bands[door] = 0
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._doors.select(0.5):
                assert isinstance(key.fileobj, socket.socket)
                told = key.fileobj.recv(1 << 16)
                assert told, "the page ended a stream"
                self.bands[key.fileobj] += told.count(b'"kind":"bands"')

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._doors.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._doors.close()


@contextmanager
def page_of(state: Path) -> Iterator[tuple[int, int]]:
    """The page as a process: its number and its port."""
    command = [sys.executable, "-m", "edge", "page", "--port", "0", *_where(state)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as page:
        try:
            assert page.stderr is not None
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", page.stderr.readline())
            assert found is not None
            yield page.pid, int(found[1])
        finally:
            page.terminate()


def measure(state: Path, appliance: int, begun: float, name: str, seconds: float, found: Found) -> None:
    """One state over one turn. begun: when the first sample sounded, by the monotonic clock."""
    with page_of(state) as (page, port):
        if name != SLEEPS:
            _figures(port)
        viewers = Viewers(port, VIEWERS[name])
        time.sleep(SETTLE_SECONDS)
        before, listened, start = busy_seconds(page), busy_seconds(appliance), time.monotonic()
        for at, told in looked_at(state, seconds):
            if told["kind"] == "event" and told["event"]["phase"] == "start":
                sounded = begun + told["start"] / SAMPLE_RATE
                if sounded > start:  # who comes is told the newest events again
                    found.late.append(at - sounded)
        lasted = time.monotonic() - start
        found.share.append((busy_seconds(page) - before) / lasted)
        found.listener.append((busy_seconds(appliance) - listened) / lasted)
        status = Path(f"/proc/{page}/status").read_text(encoding="ascii")
        found.megabytes.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000)
        viewers.close()
        found.fewest_bands = min(viewers.bands.values(), default=0)


def looked_at(state: Path, seconds: float) -> Iterator[tuple[float, Any]]:
    """What the watch socket tells meanwhile, each with the moment at which it came, by the monotonic clock."""
    client, until = WatchClient(state), time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            select.select([client], [], [], left)
            now = time.monotonic()
            yield from ((now, told) for told in client.take())
    finally:
        client.close()


def _figures(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as door:
        door.sendall(f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        while door.recv(1 << 16):
            pass


def shown(state: Path, begun: float, seconds: float) -> dict[str, list[float]]:
    """How far the picture's right edge is behind the sound, frame by frame, and each clap's mark behind the clap."""
    from playwright.sync_api import sync_playwright  # only here: tests take the other figures without a browser

    with page_of(state) as (_, port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(f"http://127.0.0.1:{port}/")
        tab.wait_for_selector(".mark", state="attached", timeout=1000 * PATIENCE_SECONDS)
        told: dict[str, list[float]] = tab.evaluate(FRAMES, {"begun": begun, "seconds": seconds})
        browser.close()
    return told


def child(state: Path, words: Sequence[str]) -> tuple[float, float]:
    """Peak megabytes, and seconds of processor time, of one of our commands, as the page starts it."""
    begun = subprocess.Popen([sys.executable, "-P", "-m", "edge", *words, *_where(state)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(begun.pid, 0)
    begun.returncode = os.waitstatus_to_exitcode(status)
    assert begun.returncode in (0, 1), f"{words}: exit code {begun.returncode}"
    return used.ru_maxrss / 1000, used.ru_utime + used.ru_stime


def _where(state: Path) -> list[str]:
    return ["--state-dir", str(state), "--config", str(settings_file(state))]


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def main() -> None:
    """Arguments in, figures out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each state is measured")
    parser.add_argument("--write", action="store_true", help="put the figures into deploy/docs/page.md")
    options = parser.parse_args()
    with wave.open(str(DEMO / "claps.wav")) as claps:
        turn = claps.getnframes() / claps.getframerate()
    found = {name: Found() for name in VIEWERS}
    with tempfile.TemporaryDirectory(prefix="edge-audio-page-") as scratch:
        state, moment = Path(scratch, "state"), Path(scratch, "begun")
        with hearing(state, settings_text(["claps"], begun=moment)) as appliance:
            await_hearing(state)
            begun, date = json.loads(moment.read_text(encoding="utf-8"))
            for _ in range(options.rounds):
                for name, figures in found.items():
                    measure(state, appliance.pid, begun, name, turn, figures)
            tab = shown(state, date, 2 * turn)
            children = {name: child(state, words) for name, words in CHILDREN.items()}
    for mark, lines in (("cost", costs(found, children)), ("late", lateness(found, tab))):
        print("\n".join([*lines, ""]))
        if options.write:
            put_into(GUIDE, mark, "\n".join([*lines, ""]))


def costs(found: dict[str, Found], children: dict[str, tuple[float, float]]) -> list[str]:
    lines = ["| state | memory (RSS) | of one core |", "|---|---|---|"]
    lines += [f"| {name} | {statistics.median(figures.megabytes):.0f} MB | {100 * statistics.median(figures.share):.2g}% |"
              for name, figures in found.items()]
    return lines + [f"| {name}, beside these | {megabytes:.0f} MB | {seconds:.1f} s in all |"
                    for name, (megabytes, seconds) in children.items()]


def lateness(found: dict[str, Found], tab: dict[str, list[float]]) -> list[str]:
    nobody, fifty = found[SLEEPS], found[FIFTY]
    rows = {"the picture's right edge, behind the sound": tab["behind"], "a clap's mark on the picture": tab["marks"],
            "a clap at the watch socket, nobody at the page": nobody.late, "the same, fifty at the page": fifty.late}
    ratio = statistics.median(one / other for one, other in zip(fifty.listener, nobody.listener, strict=True))
    return ["| what | after the sound, median | 95 of 100 |", "|---|---|---|",
            *(f"| {name} | {statistics.median(late):.2f} s | {percentile(late, 0.95):.2f} s |"
              for name, late in rows.items()),
            "", f"With fifty at the page the appliance takes {ratio:.2f} times the processor time of nobody there."]


if __name__ == "__main__":
    main()
