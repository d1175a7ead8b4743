"""A thousand boards against one Mosquitto, and what that costs it. Run by `make fleet`.

    python -m deploy.fleet.mosquitto [--boards 1000] [--rate 10] [--seconds 120] [--subscribers 1]

Prints the figures of `python -m deploy.fleet --check`; exit code 1 if anything is lost or stays undelivered.
"""

from __future__ import annotations

import argparse
import sys

from deploy.fleet.process import boards_options, play, say, spent
from edge.cli.demonstration.broker import PrivateBroker


def main() -> int:
    """Start, play, say."""
    parser = argparse.ArgumentParser(prog="python -m deploy.fleet.mosquitto", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    boards_options(parser)
    options = parser.parse_args()
    with PrivateBroker() as broker, play(options, f"{broker.host}:{broker.port}") as boards:
        code = boards.wait()
        say(f"mosquitto: {spent(broker.pid)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
