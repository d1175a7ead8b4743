"""Plays recordings in real time, again and again, as a program that the appliance hears (`[source] kind = "command"`).

Usage: player.py [--begun FILE] RECORDING...   (WAV, 16 kHz, one channel, 16 bit)
FILE gets the moment of the first sample, by the monotonic clock and as seconds since 1970: a list in JSON.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import wave
from pathlib import Path

BLOCK = 320
"""Samples written at once: 20 ms."""


def main() -> None:
    recordings = sys.argv[1:]
    begun, written = time.monotonic(), 0
    if recordings[0] == "--begun":
        Path(recordings[1]).write_text(json.dumps([begun, time.time()]), encoding="utf-8")
        recordings = recordings[2:]
    for path in itertools.cycle(recordings):
        with wave.open(path) as recording:
            while block := recording.readframes(BLOCK):
                sys.stdout.buffer.write(block)
                sys.stdout.buffer.flush()
                written += len(block) // 2
                time.sleep(max(0.0, begun + written / 16_000 - time.monotonic()))


if __name__ == "__main__":
    main()
