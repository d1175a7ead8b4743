"""Plays raw samples as a sound card would give them: 10 ms at a time, in real time; then silence without an end.

    python feeder.py SAMPLES DATES [PIPE]

SAMPLES: int16, mono, 16 kHz, without a header. To PIPE, else to standard output. DATES gets the monotonic time at which
each 10 ms were written, as doubles. A piece that a full pipe does not take is written when it does.
"""

import os
import struct
import sys
import time
from pathlib import Path

PIECE_SAMPLES = 160


def main(samples: str, dates: str, pipe: str = "") -> None:
    sound = Path(samples).read_bytes()
    out = os.open(pipe, os.O_RDWR) if pipe else 1
    size = 2 * PIECE_SAMPLES
    began, number = time.monotonic(), 0
    with Path(dates).open("ab", buffering=0) as told:
        while True:
            piece = sound[number * size:(number + 1) * size].ljust(size, b"\0")
            number += 1
            time.sleep(max(began + number * PIECE_SAMPLES / 16_000 - time.monotonic(), 0.0))
            at = time.monotonic()  # before the write: who reads may be quicker than we are with the date
            os.write(out, piece)
            told.write(struct.pack("d", at))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (BrokenPipeError, KeyboardInterrupt):
        pass
