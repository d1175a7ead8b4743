"""Put the tables of figures together from what was measured; --write puts them into models/README.md and README.md.

    python models/scenes/build.py SCENES
    python models/grouped.py WORK/grouped.csv
    for NAME of starter, yamnet:
      edge-audio evaluate DATA/manifest.csv --split eval --hop 0.48 --model NAME --format json > WORK/clips-NAME.json
      python -m models.measuring cross-fit WORK/grouped.csv hand_clap typing finger_snap siren --model NAME \\
        --format json > WORK/cross-NAME.json
      python -m models.measuring scenes SCENES/truth --model NAME --format json > WORK/truth-NAME.json
      python -m models.measuring scenes SCENES/rooms --by ratio_db --model NAME --format json > WORK/rooms-NAME.json
      for HALF of choose, report:
        python -m models.measuring onsets SCENES/onsets/HALF --model NAME --format json > WORK/onsets-HALF-NAME.json
        python -m models.measuring lasting SCENES/lasting/HALF --model NAME --format json > WORK/lasting-HALF-NAME.json
      python models/alarms.py NAME --left-out FILE > WORK/alarms-NAME.md
    for HALF of choose, report: python -m models.impulse.taught (see there) > WORK/taught-HALF.json
    python models/figures.py WORK [--write] [--only SECTION]
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODELS = Path(__file__).resolve().parent
FIRST_PAGE, GUIDE = MODELS.parent / "README.md", MODELS / "README.md"
NAMES = {"starter": "starter", "yamnet": "YAMNet"}
OWN = ("hand_clap", "typing", "finger_snap", "siren")
"""Of the model's own rows, those that the guide shows."""
SHOWN = ("hand_clap", "typing", "finger_snap", "door_knock", "glass_break", "baby_cry", "cough", "siren", "snoring")
"""Classes that the first page shows. What it says of alarms is measured by tests/decision/measure_alarm.py."""
SINGLE = ("hand_clap", "finger_snap", "door_knock", "glass_break")
"""Targets that scenes of single sounds are made for."""


def main() -> None:
    """Arguments in, tables out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder with what was measured")
    parser.add_argument("--write", action="store_true", help="put the tables into models/README.md and README.md")
    parser.add_argument("--only", metavar="SECTION", help="this table alone; the others' measurements may be missing")
    options = parser.parse_args()
    texts = {page: page.read_text(encoding="utf-8") for page in (FIRST_PAGE, GUIDE)}
    for page, section, lines in ((FIRST_PAGE, "hears", hears), (GUIDE, "figures", clips), (GUIDE, "cross-fit", cross),
                                 (GUIDE, "alarms", alarms), (GUIDE, "scenes", scenes), (GUIDE, "onsets", onsets),
                                 (GUIDE, "lasting", lasting), (GUIDE, "taught-looks", taught_looks)):
        if options.only not in (None, section):
            continue
        table = "\n".join(lines(options.work)) + "\n"
        print(f"{section}\n\n{table}")
        marked = rf"(<!-- {section} -->\n).*?(<!-- /{section} -->)"
        if not re.search(marked, texts[page], re.DOTALL):
            raise SystemExit(f"{page}: found no section {section}; wanted one")
        texts[page] = re.sub(marked, lambda found, table=table: found[1] + table + found[2], texts[page], flags=re.DOTALL)
    if options.write:
        for page, text in texts.items():
            page.write_text(text, encoding="utf-8")


def measured(work: Path, kind: str) -> dict[str, dict[str, Any]]:
    """By model what `evaluate --format json` printed."""
    return {name: json.loads((work / f"{kind}-{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def hears(work: Path) -> Iterator[str]:
    """Nine classes: the share of their clips heard, and of single sounds in a lively room; false alarms an hour."""
    found, rooms = measured(work, "clips"), measured(work, "onsets-report")
    columns = " | ".join(f"{title}: heard | one in a room | false alarms an hour" for title in NAMES.values())
    yield f"| sound | recordings | {columns} |"
    yield "|---" * (2 + 3 * len(NAMES)) + "|"
    for name in SHOWN:
        rows = [one["classes"].get(name, {}) for one in found.values()]
        if any(rows):
            cells = ["no |  | " if row.get("heard") is None else
                     f"{row['heard']:.0%} | {_in_room(rooms[model], name)} | {row['false_alarms_per_hour']:.0f}"
                     for model, row in zip(NAMES, rows, strict=True)]
            yield f"| {name} | {max(row.get('clips', 0) for row in rows)} | {' | '.join(cells)} |"


def _in_room(found: dict[str, Any], name: str) -> str:
    """The share heard of single sounds whose loudest 20 ms are 20 dB over a room; nothing for a sound not laid so."""
    one = found["targets"].get(name)
    return "" if one is None else f"{one['recall']['20 dB']['share']:.0%}"


def clips(work: Path) -> Iterator[str]:
    """Each class with both models' area under the curve and recall; then the accuracies."""
    found = measured(work, "clips")
    yield f"| class | clips | {' | '.join(f'{title}: area under curve | recall' for title in NAMES.values())} |"
    yield "|---" * (2 + 2 * len(NAMES)) + "|"
    classes = {name: row["clips"] for one in found.values() for name, row in one["classes"].items()}
    first = ("hand_clap", "typing", "finger_snap")
    for name in [*(name for name in first if name in classes), *sorted(classes.keys() - first)]:
        rows = [one["classes"].get(name) for one in found.values()]
        cells = [f"{row['area_under_curve']:.3f} | {row['recall']:.2f}" if row else " | " for row in rows]
        yield f"| {name} | {classes[name]} | {' | '.join(cells)} |"
    yield ""
    for name, one in found.items():
        low, high = one["accuracy_interval"]
        title = NAMES[name][0].upper() + NAMES[name][1:]
        yield (
            f"{title}: accuracy {one['accuracy']:.1%} ({low:.1%} to {high:.1%}) over {one['classified']} clips of "
            f"{len(one['classes'])} classes that the model has labels for."
        )


def cross(work: Path) -> Iterator[str]:
    """Taught sounds, judged source by source."""
    found = measured(work, "cross")
    yield "| taught from clips | clips of sources | model | heard (95 %) | false alarms | hours | an hour | at most (95 %) |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in next(iter(found.values()))["classes"]:
        for model, one in found.items():
            row = one["classes"][name]
            yield (
                f"| {name} | {row['clips']} of {len(row['sources'])} | {NAMES[model]} | {row['heard']:.2f} "
                f"({row['heard_low']:.2f} to {row['heard_high']:.2f}) | {row['false_alarms']} | {row['hours']:.2f} | "
                f"{row['false_alarms_per_hour']:.1f} | {row['false_alarms_per_hour_upper']:.1f} |"
            )


def alarms(work: Path) -> Iterator[str]:
    """The models' own rows."""
    yield "| the model's own | model | clips | heard (95 %) | false alarms | hours | an hour | at most (95 %) |"
    yield "|---|---|---|---|---|---|---|---|"
    lines = {name: (work / f"alarms-{name}.md").read_text(encoding="utf-8").splitlines() for name in NAMES}
    for target in OWN:
        for name, own in lines.items():
            for line in own:
                if line.startswith(f"| {target} |"):
                    yield f"| {target} | {NAMES[name]} |{line.removeprefix(f'| {target} |')}"


def scenes(work: Path) -> Iterator[str]:
    """Events on scenes with known truth: all impulsive and all lasting sounds, and claps alone."""
    yield (
        "| scenes | model | impulsive: precision | recall | onsets within 50 ms | lasting: precision | recall | "
        "1 s segments: F1 | claps: recall | false alarms an hour (at most) |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    quiet, rooms = measured(work, "truth"), measured(work, "rooms")
    titles = {"": "quiet, claps, snaps and knocks"} | {
        kind: f"rooms, {float(kind.split()[1]):g} dB" for kind in next(iter(rooms.values()))["kinds"]
    }
    for kind, title in titles.items():
        for name in NAMES:
            one = rooms[name]["kinds"][kind] if kind else quiet[name]
            short, clap = one["events"]["impulsive"], one["targets"]["hand_clap"]
            # Nothing lasting is in the quiet ones.
            long = one["events"]["lasting"] if kind else {"precision": None, "recall": None}
            cells = (short["precision"], short["recall"], one["onset_on_time"], long["precision"], long["recall"])
            shown = " | ".join("" if cell is None else f"{cell:.2f}" for cell in (*cells, one["segments"]["f1"]))
            yield (
                f"| {title} | {NAMES[name]} | {shown} | {clap['events']['recall']:.2f} | "
                f"{clap['alarms_per_hour']:.0f} ({clap['alarms_per_hour_upper']:.0f}) |"
            )


def onsets(work: Path) -> Iterator[str]:
    """Single sounds in the quiet and over backgrounds, of the sources that report and of those that choose."""
    ratios = ("quiet", "30 dB", "20 dB", "10 dB")
    yield (f"| single sounds | sources | model | {' | '.join(ratios)} | sounds each | false alarms an hour (at most) | "
           "hard sounds taken (95 %) | told after, s (95 %) |")
    yield "|---" * 11 + "|"
    for half, title in (("report", "reporting"), ("choose", "choosing")):
        found = measured(work, f"onsets-{half}")
        for target in SINGLE:
            for name, model in NAMES.items():
                if (one := found[name]["targets"].get(target)) is not None:
                    shares, hard, alarms = one["recall"], one["hard"], one["alarms"]
                    told = "" if one["delay_median"] is None else f"{one['delay_median']:.2f} ({one['delay_95th']:.2f})"
                    found_by = " | ".join(f"{shares[ratio]['share']:.2f}" for ratio in ratios)
                    yield (
                        f"| {target} | {title} | {model} | {found_by} | "
                        f"{shares['20 dB']['of']} | {alarms['per_hour']:.0f} ({alarms['per_hour_upper']:.0f}) | "
                        f"{hard['share']:.1%} ({hard['low']:.1%} to {hard['high']:.1%}) | {told} |"
                    )


def lasting(work: Path) -> Iterator[str]:
    """Lasting sounds told of within 2 s, in the quiet and over backgrounds."""
    ratios = ("quiet", "20 dB", "10 dB")
    yield (f"| lasting sounds | sources | model | {' | '.join(f'{ratio}: within 2 s | in all' for ratio in ratios)} | "
           "sounds each | told after, s | false alarms an hour (at most) |")
    yield "|---" * 12 + "|"
    for half, title in (("report", "reporting"), ("choose", "choosing")):
        found = measured(work, f"lasting-{half}")
        for target in dict.fromkeys(target for one in found.values() for target in one["targets"]):
            for name, model in NAMES.items():
                if (one := found[name]["targets"].get(target)) is not None:
                    shares = " | ".join(f"{one[kind][ratio]['share']:.2f}" for ratio in ratios for kind in ("soon", "found"))
                    told = "" if one["delay_median"] is None else f"{one['delay_median']:.1f}"
                    yield (f"| {target} | {title} | {model} | {shares} | {one['soon']['20 dB']['of']} | {told} | "
                           f"{one['alarms']['per_hour']:.0f} ({one['alarms']['per_hour_upper']:.0f}) |")


def taught_looks(work: Path) -> Iterator[str]:
    """Sounds without length taught from five of a source: the source's others, heard in scenes, before and after."""
    ratios = ("quiet", "30 dB", "20 dB", "10 dB")
    ways = {"own": "the model's own", "patches": "a name of its own, by patches", "looks": "a name of its own, by looks",
            "added": "added to the model's own"}
    yield (f"| taught from five | sources | by | {' | '.join(ratios)} | sounds each | false alarms an hour | "
           "hard sounds taken |")
    yield "|---" * 10 + "|"
    for half, title in (("report", "reporting"), ("choose", "choosing")):
        found = json.loads((work / f"taught-{half}.json").read_text(encoding="utf-8"))
        for target, by_way in found["targets"].items():
            for way, one in by_way.items():
                whole, sources = one["all"], len(one["sources"])
                shares = " | ".join(f"{whole['recall'][ratio]['share']:.2f}" for ratio in ratios)
                yield (f"| {target} | {title}, {sources} | {ways[way]} | {shares} | {whole['recall']['20 dB']['of']} | "
                       f"{whole['alarms_per_hour']:.1f} | {whole['hard']['share']:.1%} |")


if __name__ == "__main__":
    main()
