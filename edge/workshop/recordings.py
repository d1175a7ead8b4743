"""Recordings to learn from, of files or cut out of the running microphone. They are held in memory only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.errors import EdgeError, SettingsError, SourceError
from edge.features.level import level_of
from edge.features.mix import mix
from edge.features.resample import Resampler
from edge.learn.augment import Samples
from edge.learn.recorder import LONGEST, Recorder
from edge.learn.teach import FEWEST, LONGEST_SECONDS, MOST, Recording, problem_of
from edge.seams import Source
from edge.sources.recording import open_recording
from edge.stream import FRAME_STEP, SAMPLE_RATE, Block, StreamFormat
from edge.workshop.hearing import Timed

PATIENCE_SECONDS = 120.0
"""How long the microphone waits for the next sound."""
ENDLESS = (f"a sound that did not end within {LONGEST // SAMPLE_RATE} s, as a fan or rain would",
           "the sound alone (what goes on counts as the room from now on)")
"""What is said of a sound that the recorder threw away: found, wanted."""

Heard = Callable[[Recorder, Sequence[Recording], tuple[str, str] | None], None]
"""Called after every block with the recorder and the recordings so far, and for each sound that
cannot be used with what was found and what was wanted."""
MOST_LEVELS = 100
"""Values of an envelope."""


def samples_of(blocks: Iterator[Block | None], *, channel: int = -1) -> Iterator[Samples]:
    """Blocks as int16 `(n,)` at 16 kHz, as they come; at a gap the resampler begins afresh. Raises SettingsError."""
    resampler: Resampler | None = None
    stream: StreamFormat | None = None
    for block in blocks:
        if block is None:
            continue
        if resampler is None or block.gap or block.format != stream:
            resampler, stream = Resampler(block.format.rate), block.format
        yield resampler.push(mix(block.samples, block.format.channels, channel))
    if resampler is not None:
        yield resampler.flush()


def all_recordings(paths: Sequence[Path], *, channel: int = -1) -> list[Recording]:
    """Every one of these recordings. Where some cannot be learnt from, or are given twice, the last of them
    is raised as an EdgeError, and the others are named on standard error."""
    recordings, problems = read_recordings(paths, channel=channel)
    problems += _repeated(recordings)
    for problem in problems[:-1]:
        print(f"edge-audio: {problem}", file=sys.stderr)
    if problems:
        raise problems[-1]
    return recordings


def read_recordings(paths: Sequence[Path], *, channel: int = -1) -> tuple[list[Recording], list[EdgeError]]:
    """Every recording that can be learnt from, and what is wrong with each of the others."""
    recordings: list[Recording] = []
    problems: list[EdgeError] = []
    for path in paths:
        try:
            with open_recording(path) as source:
                if source.duration_seconds > LONGEST_SECONDS:  # refused before it fills the memory
                    raise SourceError(str(path), found=f"{source.duration_seconds:.0f} s",
                                      wanted=f"at most {LONGEST_SECONDS:.0f} s around the sound")
                parts = list(samples_of(source.blocks(), channel=channel))
            samples = np.concatenate(parts) if parts else np.empty(0, np.int16)
            if problem := problem_of(samples):
                raise SourceError(str(path), found=problem[0], wanted=problem[1])
            recordings.append(Recording(str(path), samples))
        except EdgeError as error:
            problems.append(error)
    return recordings, problems


def _repeated(recordings: Sequence[Recording]) -> list[EdgeError]:
    """One problem for each recording that an earlier one equals: it would be judged by its like."""
    first: dict[bytes, str] = {}
    problems: list[EdgeError] = []
    for recording in recordings:
        samples = recording.samples.tobytes()
        if samples in first:
            problems.append(SourceError(recording.name, found=f"the same sound as {first[samples]}",
                                        wanted="each recording once"))
        first.setdefault(samples, recording.name)
    return problems


def check_count(count: int) -> None:
    """Raise SettingsError for so many recordings as a sound cannot be taught from."""
    if not FEWEST <= count <= MOST:
        raise SettingsError("--count", found=str(count), wanted=f"{FEWEST} to {MOST}")


def envelope(samples: Samples) -> list[int]:
    """How loud int16 `(n,)` at 16 kHz is over its length: whole dBFS of equal parts, MOST_LEVELS at most, each of 10 ms or
    more."""
    parts = np.array_split(samples, min(max(len(samples) // FRAME_STEP, 1), MOST_LEVELS))
    return [round(level_of(part).rms_dbfs) for part in parts if len(part)]


def record(source: Source, count: int, *, channel: int = -1, heard: Heard) -> list[Recording]:
    """`count` recordings from a source, one after another; it is closed then.

    Raises SourceError where the source ends before, gives no sound to learn from for PATIENCE_SECONDS, or gives nothing at
    all, as where there is no microphone.
    """
    recorder, recordings, waited, endless = Recorder(), list[Recording](), 0.0, 0
    try:
        for samples in samples_of(Timed(source, float("inf")).blocks(), channel=channel):
            waited += len(samples) / SAMPLE_RATE
            for found in recorder.push(samples):
                problem = problem_of(found)
                if problem is None:
                    recordings.append(Recording(f"recording {len(recordings) + 1}", found))
                    waited = 0.0
                heard(recorder, recordings, problem)
                if len(recordings) == count:
                    return recordings
            heard(recorder, recordings, ENDLESS if recorder.endless > endless else None)
            endless = recorder.endless
            if waited > PATIENCE_SECONDS:
                raise SourceError("source", found=f"no sound over the room for {PATIENCE_SECONDS:.0f} s",
                                  wanted=f"the sound, {count - len(recordings)} times more")
    finally:
        source.close()
    raise SourceError("source", found=f"its end after {len(recordings)} recordings", wanted=f"{count}")
