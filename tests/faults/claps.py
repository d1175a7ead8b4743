"""Prints bundled claps without end, as raw PCM and faster than they sounded: the source of the fault tests' events.

    python tests/faults/claps.py SPEED
"""

from __future__ import annotations

import os
import sys
import time
import wave
from pathlib import Path

CLAPS = Path(__file__).resolve().parents[2] / "models" / "demo" / "claps.wav"
FROM_SECONDS, LONG_SECONDS = 1.4, 0.6
"""One clap of the recording, with what it needs around it."""
BLOCK_SECONDS = 0.1


def main(speed: float) -> None:
    """speed: seconds of sound a second."""
    with wave.open(str(CLAPS)) as file:
        rate = file.getframerate()
        file.setpos(round(FROM_SECONDS * rate))
        clap = file.readframes(round(LONG_SECONDS * rate))
    block = 2 * round(BLOCK_SECONDS * rate)
    began, printed = time.monotonic(), 0
    try:
        while True:
            for start in range(0, len(clap), block):
                os.write(1, clap[start:start + block])
            printed += 1
            time.sleep(max(began + printed * LONG_SECONDS / speed - time.monotonic(), 0.0))
    except BrokenPipeError:
        return


if __name__ == "__main__":
    main(float(sys.argv[1]))
