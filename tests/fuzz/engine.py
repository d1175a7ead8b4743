"""Tries one input after another on a target, in this process: guided by coverage where atheris is installed, else by what
the target says of them. Findings go into a folder; what is being tried lies in a file that outlives a crash."""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import re
import resource
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from edge.errors import EdgeError

ROOT = Path(__file__).resolve().parents[2]
SLOW_SECONDS = 1.0
"""Of the processor, for one input."""
MOST_MEGABYTES = 500
LONGEST_ERROR = 10_000
"""Letters: an error that is longer echoes what it found."""
MOST_INPUT = 1 << 20
FATAL = ("a crash", "exit status", "no end", "over 1500 MB")
"""How findings begin whose input ended a child: the next child leaves it out."""
MOST_KEPT = 3_000
"""Inputs of a search without coverage that others are made of."""
LEAK_EVERY, MOST_LEAKED = 500, 40
"""So often open files are counted, and so many more than at the start are a finding."""


class Target(Protocol):
    """Something that takes foreign bytes. Made with a folder of its own."""

    allowed: tuple[type[EdgeError], ...]
    """What `try_one` may raise: the errors that are documented there."""

    def seeds(self) -> Sequence[bytes]:
        """Good inputs, or nearly so."""

    def try_one(self, data: bytes) -> None:
        """Take one input. Whatever it raises but `allowed` is a finding; so is an assertion of its own."""

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        """Another input, made of one."""


class Meter:
    """What is known of a run, in a file that the parent maps too."""

    _HEAD = struct.Struct("<QQQQQ")

    def __init__(self, path: Path) -> None:
        """Makes the file where it is missing, and goes on with its figures where it is there."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(handle, self._HEAD.size + MOST_INPUT)
        self._map = mmap.mmap(handle, 0)
        os.close(handle)
        self._read()

    def _read(self) -> None:
        self.tried, self._slowest, self._peak, _, self.taken = self._HEAD.unpack_from(self._map)

    def begins(self, data: bytes) -> None:
        """An input is tried from now on."""
        at_work = data[:MOST_INPUT]
        self._map[self._HEAD.size:self._HEAD.size + len(at_work)] = at_work
        self._write(len(at_work) + 1)

    def ends(self, seconds: float, kilobytes: int, *, taken: bool) -> bool:
        """An input was tried; whether it is the slowest so far."""
        self._read()  # the other side may have counted since
        slowest = int(seconds * 1e6) > self._slowest
        self._slowest, self._peak = max(self._slowest, int(seconds * 1e6)), max(self._peak, kilobytes)
        self.tried += 1
        self.taken += taken
        self._write(0)
        return slowest

    def _write(self, at_work: int) -> None:
        self._HEAD.pack_into(self._map, 0, self.tried, self._slowest, self._peak, at_work, self.taken)

    @property
    def figures(self) -> tuple[int, float, int, int]:
        """Inputs tried, seconds of the slowest, peak of the memory in kilobytes, inputs taken."""
        tried, slowest, peak, _, taken = self._HEAD.unpack_from(self._map)
        return tried, slowest / 1e6, peak, taken

    @property
    def at_work(self) -> bytes | None:
        """The input that is being tried."""
        size = self._HEAD.unpack_from(self._map)[3]
        return self._map[self._HEAD.size:self._HEAD.size + size - 1] if size else None

    def close(self) -> None:
        self._map.close()


class Findings:
    """Each by what went wrong and where; its first input, and the trace, in the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, words: str, data: bytes, trace: str = "") -> None:
        """words: what went wrong, and where."""
        name = f"{re.sub('[^A-Za-z0-9]+', '-', words)[:60].strip('-')}-{hashlib.sha256(words.encode()).hexdigest()[:8]}"
        if not (self.folder / f"{name}.txt").exists():
            (self.folder / f"{name}.bin").write_bytes(data)
            (self.folder / f"{name}.txt").write_text(f"{words}\n\n{trace}", errors="backslashreplace")

    def all(self) -> dict[str, Path]:
        """The words of each, and its input."""
        return {path.read_text(errors="replace").splitlines()[0]: path.with_suffix(".bin")
                for path in sorted(self.folder.glob("*.txt"))}


def where(error: BaseException) -> str:
    """The innermost line of ours that an error passed."""
    frames = [(each.filename.removeprefix(f"{ROOT}/"), each.lineno) for each in traceback.extract_tb(error.__traceback__)]
    ours = [each for each in frames if each[0].startswith("edge/")] or frames[-1:]
    return f"{ours[-1][0]}:{ours[-1][1]}" if ours else "nowhere"


def badly_said(error: EdgeError) -> str:
    """What is wrong with the words of an error; empty: nothing."""
    line = str(error)
    if not (error.thing.strip() and error.found.strip() and error.wanted.strip()):
        return "an error that lacks thing, found or wanted"
    return "" if len(line) <= LONGEST_ERROR and "\n" not in line else "an error of too many letters or lines"


class Trial:
    """Tries inputs on one target, and notes what comes of them."""

    def __init__(self, target: Target, meter: Meter, findings: Findings) -> None:
        self._target, self._meter, self._findings = target, meter, findings
        self._peak = self._open = 0
        self._fatal = {path.read_bytes() for words, path in findings.all().items() if words.startswith(FATAL)}

    def __call__(self, data: bytes) -> str:
        """What came of it, in words that are the same for the same outcome."""
        data = data[:MOST_INPUT]
        if data in self._fatal:
            return "ended a child before"
        self._meter.begins(data)
        begun, outcome = time.process_time(), "taken"
        try:
            self._target.try_one(data)
        except KeyboardInterrupt:
            raise
        except self._target.allowed as error:
            outcome = f"{type(error).__name__} {re.sub('[0-9]+|/[^ :]*', '', f'{error.thing} {error.found}')[:60]}"
            if problem := badly_said(error):
                self._findings.add(f"{problem}, from {where(error)}", data, traceback.format_exc())
        except BaseException as error:  # what a target may raise is `allowed`: all else is what we look for
            outcome = f"{type(error).__name__} at {where(error)}"
            if isinstance(error, AssertionError):  # of the target's: its words tell one from another
                outcome += re.sub("/[^ :]*/|[0-9]+", "", f" {error}")[:100]
            self._findings.add(outcome, data, traceback.format_exc())
        seconds, kilobytes = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if self._meter.ends(seconds, kilobytes, taken=outcome == "taken"):
            (self._findings.folder.parent / "slowest.bin").write_bytes(data)
        if seconds > SLOW_SECONDS:
            self._findings.add(f"over {SLOW_SECONDS:g} s of the processor: {outcome}", data, f"{seconds:.2f} s")
        if kilobytes > max(self._peak, MOST_MEGABYTES * 1024) and self._peak:
            self._findings.add(f"over {MOST_MEGABYTES} MB of memory: {outcome}", data, f"{kilobytes / 1024:.0f} MB")
        self._peak = max(self._peak, kilobytes)
        if not self._open or self._meter.tried % LEAK_EVERY == 0:
            held = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
            self._open = self._open or held
            if held > self._open + MOST_LEAKED:
                self._findings.add("files that were left open", data, f"{self._open} at the start, then {held}")
                self._open = held
        return outcome


def search(target: Target, trial: Trial, enough: Callable[[], bool], seed: int, folder: Path) -> None:
    """Without coverage: an outcome that is new makes its input one of those that others are made of. What coverage has found
    before (`guided`, in the same folder) is among them from the start. Half of what is tried is made of good inputs: most of
    the others are bad already."""
    chance, known = random.Random(seed), set[str]()
    seeds = target.seeds()
    corpus = [*seeds, *(path.read_bytes() for path in sorted((folder / "corpus").glob("*"))[:MOST_KEPT])]
    for data in corpus:
        if enough():
            return
        known.add(trial(data))
    while not enough():
        data = target.mutate(chance.choice(seeds if chance.random() < 0.5 else corpus), chance)
        outcome = trial(data)
        if outcome not in known and len(corpus) < MOST_KEPT:
            known.add(outcome)
            corpus.append(data)


def guided(target: Target, trial: Trial, enough: Callable[[], bool], seed: int, folder: Path) -> None:
    """With atheris: libFuzzer keeps whatever reaches a line or a branch that is new. Ends the process."""
    import atheris  # type: ignore[import-not-found,unused-ignore]

    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    seeds = target.seeds()
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number:04d}").write_bytes(data)

    def one(data: bytes) -> None:
        trial(data)
        if enough():
            sys.stderr.flush()
            os._exit(0)

    def mutated(data: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)
        if chance.random() < 0.3 and data:
            return bytes(atheris.Mutate(data, most))
        return target.mutate(data or chance.choice(seeds), chance)[:most]

    longest = min(max(map(len, seeds), default=1_024) + 4_096, MOST_INPUT)
    quiet = [f"-handle_{signal}=0" for signal in ("segv", "bus", "abrt", "ill", "fpe", "int", "term", "xfsz")]
    options = [f"-seed={seed & 0x7FFF_FFFF or 1}", f"-max_len={longest}", "-timeout=3600", "-rss_limit_mb=0",
               "-detect_leaks=0", "-reload=0", "-len_control=0", f"-artifact_prefix={folder}/", *quiet]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutated)
    atheris.Fuzz()
