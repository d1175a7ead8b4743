"""Runs on the emulated processor: `edge-audio run` with each settings file, two marks in its sound (see instructions.c).

Arguments: a state directory, the body (a .tflite), seconds of the first mark and of the second, settings files. A run's
marks come in the order of the files; then two with INVOKES invokes of the body between them.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from edge.cli import main
from edge.model.runtime import open_runtime
from edge.sources.recording import Recording
from edge.stream import SAMPLE_RATE, Block

MARK = 0x7A0000
INVOKES = 10


def mark() -> None:
    """Have the instructions so far written."""
    with contextlib.suppress(OSError):
        os.close(MARK)


def between_marks(recording: Recording, places: list[int], blocks=Recording.blocks) -> Iterator[Block | None]:
    """The recording's blocks. A mark is made when all before a place (a position) has been heard."""
    left = list(places)
    for block in blocks(recording):
        if left and block is not None and block.position >= left[0]:
            left.pop(0)
            mark()
        yield block


def run() -> int:
    """0, or the code with which a run failed."""
    state, body, begin, end, *files = sys.argv[1:]
    print("versions", ", ".join(f"{name} {version(name)}" for name in ("numpy", "ai-edge-litert")), flush=True)
    places = [round(float(seconds) * SAMPLE_RATE) for seconds in (begin, end)]
    Recording.blocks = lambda recording: between_marks(recording, places)
    for file in files:
        code = main(["run", "--config", file, "--state-dir", state])
        if code:
            return code
    runtime = open_runtime(Path(body))
    for _ in range(2):  # the first invokes pack weights
        runtime.invoke()
    mark()
    for _ in range(INVOKES):
        runtime.invoke()
    mark()
    return 0


if __name__ == "__main__":
    sys.exit(run())
