"""Plays recordings in real time, again and again, as a program that the appliance hears (`[source] kind = "command"`).

Usage: player.py RECORDING...   (WAV, 16 kHz, one channel, 16 bit)
"""

from __future__ import annotations

import itertools
import sys
import time
import wave

BLOCK = 320
"""Samples written at once: 20 ms."""


def main() -> None:
    begun, written = time.monotonic(), 0
    for path in itertools.cycle(sys.argv[1:]):
        with wave.open(path) as recording:
            while block := recording.readframes(BLOCK):
                sys.stdout.buffer.write(block)
                sys.stdout.buffer.flush()
                written += len(block) // 2
                time.sleep(max(0.0, begun + written / 16_000 - time.monotonic()))


if __name__ == "__main__":
    main()
