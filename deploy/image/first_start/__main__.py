"""python3 -m first_start take | apply | grow [--root DIR] [--program FILE]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .appliance import edge_audio_judge
from .page import edge_audio_keeper
from .places import Places
from .take import take


def main(arguments: list[str] | None = None) -> int:
    """Do one of the three. Exit code 1: something was not done; standard error says what."""
    parser = argparse.ArgumentParser(prog="first_start", description="Take an owner's settings; make them so.")
    parser.add_argument("what", choices=("take", "apply", "grow"))
    parser.add_argument("--root", type=Path, default=Path("/"), help="what stands for /; nothing is mounted below another")
    parser.add_argument("--program", type=Path, default=Path("/usr/bin/edge-audio"),
                        help="which judges settings, and keeps the page's password")
    options = parser.parse_args(arguments)
    places = Places(options.root.resolve())
    try:
        if options.what == "take":
            if take(places, edge_audio_judge(options.program, places), edge_audio_keeper(options.program, places)):
                return 0
            print(f"edge-audio: not everything on the boot partition was taken: {places.report.name} there", file=sys.stderr)
            return 1
        if options.what == "apply":
            from .apply import apply

            return apply(places)
        from .grow import grow

        return grow(places)
    except OSError as error:
        print(f"edge-audio: first start, {options.what}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
