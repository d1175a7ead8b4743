"""Write the manifest of all clips with a column group: clips that belong together.

    python models/grouped.py OUT.csv
    python -m models.measuring cross-fit OUT.csv siren

A group is a library. ESC-10 collects from many libraries, so there each recording is a group
(models/starter/clips.py). Groups have the names that they have in the banks. Paths are absolute, so OUT may
lie anywhere. Needs the recordings (EDGE_AUDIO_SHARED, default ../shared).
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "starter"))

from clips import all_clips, shared_folder


def main() -> None:
    """Arguments in, a manifest out."""
    parser = argparse.ArgumentParser(description="Write the manifest of all clips with the column group.")
    parser.add_argument("out", type=Path, help="where it goes")
    out = parser.parse_args().out
    data = shared_folder().resolve() / "data"
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "class", "split", "group"])
        writer.writerows([data / clip.path, clip.label, clip.split, clip.group] for clip in all_clips())


if __name__ == "__main__":
    main()
