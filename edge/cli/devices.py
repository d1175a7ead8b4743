"""List the microphones that the sound system offers: name, channels, and the rates that each really takes."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from edge.sources.microphone import list_microphones

EXAMPLES = """Examples:
  edge-audio devices
  edge-audio devices --format json

Use part of a name in the settings, [source] microphone = "USB": numbers change when a card is plugged in again.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `devices` takes."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")


def run(options: argparse.Namespace) -> int:
    """Print them; exit code 1 where there is none."""
    microphones = list_microphones()
    if options.format == "json":
        print(json.dumps([asdict(microphone) for microphone in microphones], indent=2))
    else:
        for microphone in microphones:
            rates = ", ".join(f"{rate / 1000:g}" for rate in microphone.rates) or "none of the usual"
            print(f"{microphone.name}\n    {microphone.host_api}; up to {microphone.channels} channels; "
                  f"default {microphone.default_rate} Hz; takes {rates} kHz")
    if not microphones:
        print("no microphone found: plug one in, or use [source] kind = \"command\" with arecord", file=sys.stderr)
        return 1
    return 0
