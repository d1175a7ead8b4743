"""The boards as a process of their own, and what a broker's process has cost."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


def boards_options(parser: argparse.ArgumentParser) -> None:
    """What `play` takes."""
    parser.add_argument("--boards", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=10.0, help="events per board and minute (default 10)")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long they hear (default 120)")
    parser.add_argument("--subscribers", type=int, default=1, help="so many that share what comes (default 1: none shares)")
    parser.add_argument("--format", choices=("table", "json"), default="table")


@contextlib.contextmanager
def play(options: argparse.Namespace, hosts: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m deploy.fleet --check` against these addresses, ended with the context."""
    with subprocess.Popen([
            sys.executable, "-m", "deploy.fleet", "--host", hosts, "--protocol", "3.1.1", "--check", "--boards",
            str(options.boards), "--rate", str(options.rate), "--seconds", str(options.seconds), "--subscribers",
            str(options.subscribers), "--format", options.format]) as boards:
        try:
            yield boards
        finally:
            boards.kill()


def spent(pid: int) -> str:
    """Processor time of a process so far and the most memory that it had (proc(5): utime, stime; VmHWM)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000.0
    return f"{seconds:.1f} s of processor time, {memory:.0f} MB of memory at most"


def say(words: str) -> None:
    """To standard error: standard output is for the figures."""
    print(words, file=sys.stderr, flush=True)
