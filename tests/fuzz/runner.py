"""Runs a target in a child, watches it, and begins anew after a crash: what the child was trying is then a finding."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.engine import FATAL, MOST_MEGABYTES, ROOT, Findings, Meter

LOOK_SECONDS = 0.2
STUCK_SECONDS = 60.0
"""So long one input may take by the clock: a machine that is busy is no finding, a wait without an end is one."""
FAR_MEGABYTES = 3 * MOST_MEGABYTES
"""A child this large is killed before it takes the machine's memory."""
MOST_CRASHES = 20
GUIDED = 0.1
"""Share of the inputs that coverage guides."""
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. coverage: libFuzzer's own words; "" without atheris. unfinished: why it ended early."""

    name: str
    tried: int
    taken: int
    slowest_seconds: float
    peak_megabytes: float
    wall_seconds: float
    coverage: str
    findings: dict[str, Path]
    unfinished: str = ""


def run(name: str, folder: Path, *, inputs: int, seconds: float, seed: int = 1, plain: bool = False) -> Outcome:
    """Try so many inputs on a target, for so many seconds at most: the first GUIDED of them by coverage, unless `plain`, and
    then many more of what that has found, which costs a fraction.

    folder: for its findings; what lies there counts on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    meter, findings = Meter(folder / "meter"), Findings(folder / "findings")
    begun, unfinished, crashes = time.monotonic(), "", 0
    try:
        while (left := seconds - (time.monotonic() - begun)) > 0 and (tried := meter.figures[0]) < inputs:
            rough = plain or tried >= round(inputs * GUIDED)
            with (folder / "log").open("ab") as log:
                words = [sys.executable, "-m", "tests.fuzz.child", name, str(folder),
                         str(inputs if rough else round(inputs * GUIDED)), str(left),
                         str(seed + tried), *["--plain"] * rough]
                child = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                                         env=environment())
                why = _watched(child, meter, left)
            if not why:
                continue
            crashes += 1
            if (data := meter.at_work) is None:
                unfinished = f"{why} between two inputs: {folder / 'log'}"
                break
            assert why.startswith(FATAL)
            findings.add(f"{why} ({_last_frame(folder)}) {hashlib.sha256(data).hexdigest()[:8]}", data, _tail(folder))
            meter.ends(0.0, 0, taken=False)
            if crashes >= MOST_CRASHES:
                unfinished = f"{crashes} crashes"
                break
        tried, slowest, peak, taken = meter.figures
        return Outcome(name, tried, taken, slowest, peak / 1024, time.monotonic() - begun, _coverage(folder), findings.all(),
                       unfinished)
    finally:
        meter.close()


def environment() -> dict[str, str]:
    """The child's: this checkout first, one thread for each sum, a trace where C code crashes."""
    return os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"}


def _watched(child: subprocess.Popen[bytes], meter: Meter, seconds: float) -> str:
    """Until it ends; why it ended badly, empty where it did well."""
    until = time.monotonic() + seconds + START_SECONDS
    seen, since = -1, time.monotonic()
    while True:
        try:
            code = child.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            tried, now = meter.figures[0], time.monotonic()
            if tried != seen:
                seen, since = tried, now
            stuck = now - since > (STUCK_SECONDS if tried else STUCK_SECONDS + START_SECONDS) or now > until
            large = _megabytes(child.pid) > FAR_MEGABYTES
            if stuck or large:
                child.kill()
                child.wait()
                return f"over {FAR_MEGABYTES} MB" if large else f"no end in {STUCK_SECONDS:g} s"
            continue
        if code < 0:
            return f"a crash: {signal.Signals(-code).name}"
        return "" if code == 0 else f"exit status {code}"


def _megabytes(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it has just ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _tail(folder: Path) -> str:
    return (folder / "log").read_bytes()[-6_000:].decode("utf-8", "replace")


def _last_frame(folder: Path) -> str:
    """The first line of ours in the newest trace of faulthandler."""
    trace = _tail(folder).rpartition("Fatal Python error")[2]
    found = re.search(r'File "[^"]*?((?:edge|tests)/[^"]+)", line (\d+)', trace)
    return f"{found[1]}:{found[2]}" if found else "no trace"


def _coverage(folder: Path) -> str:
    log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
    found = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", log)
    return f"{found[-1][0]} edges, {found[-1][2]} inputs" if found else ""
