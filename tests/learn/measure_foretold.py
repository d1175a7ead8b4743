"""What `teach` foretells of a sound, and what is then heard of other recordings of it.

    python tests/learn/measure_foretold.py [--model starter] [--state-dir DIR] [--every 3] [--trials 3]

Recordings of `train` are taught against the bank without their class and their source: five of one session, up to eight of
two sessions, up to ten of five sessions of one source. A session is what one source numbers through (`walk_grass_1` to `_8`,
a keyboard's keys, one upload). Printed, on average: the share of recordings foretold to be heard, each judged without itself
and without its group; how often all were found to sound alike; and the share really heard of other recordings of the same
sessions, of other sessions of the source, and of other sources. --every: of the bank's embeddings only each so many is used.
First it prints how alike recordings are (--trials 0: only that).
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conftest import shared_folder

from edge.control.loading import load_model, model_folder
from edge.learn.alike import ALIKE, cosines, groups
from edge.learn.embedding import Embedder
from edge.learn.lesson import HEARD, PLACED, Examples, Lesson, Negatives, learn_sound
from edge.learn.teach import Gathered, made_of, negatives_for, together
from edge.model.taught import Taught
from edge.workshop.recordings import read_recordings

LIKE = {
    "keyboard_key": ("keyboard_typing", "neg_click", "mouse_click", "typewriter"), "finger_snap": (),
    "hand_clap": ("applause",), "footsteps": ("neg_stomp",), "dog_bark": (), "alarm_beep": ("alarm_clock", "neg_tone"),
    "phone_ring": ("alarm_clock",), "whistle": (), "door_knock": (), "neg_glass_clink": ("glass_break",)}
"""Classes that are taught, and those of the bank that are the same sound."""
MOST_OF_A_SOURCE = 60
FORMS = {"one session": (1, 5, 5), "two sessions": (2, 4, 8), "five sessions": (5, 2, 10)}
"""Sessions, recordings of each, recordings in all."""


@dataclass(frozen=True)
class Clip:
    """One recording, as it is taught and heard."""

    sound: str
    source: str
    session: str
    made: Gathered


def session_of(sound: str, path: str) -> str:
    """What is left of a source's path without the number of the take."""
    plain = PurePosixPath(path.split("#")[0]).with_suffix("")
    if sound == "keyboard_key":
        return str(plain.parent)
    if "_-_" in path:  # ESC-10: fold, number of the upload, take
        return str(plain).rsplit("-", 1)[0]
    return re.sub(r"_rr\d+$|[-_. ]?\(?\d+\)?$", "", str(plain))


def clips_of(embedder: Embedder) -> list[Clip]:
    data, found = shared_folder() / "data", list[Clip]()
    taken: dict[tuple[str, str], int] = defaultdict(int)
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "train" and row["class"] in LIKE]
    for row in rows:
        key = row["class"], row["source_repo"]
        recordings, _ = read_recordings([data / row["path"]])
        if recordings and taken[key] < MOST_OF_A_SOURCE:
            taken[key] += 1
            found.append(Clip(*key, session_of(row["class"], row["source_path"]),
                              made_of(embedder, recordings[0], len(found) % 200)))
    return found


def drawn(clips: list[Clip], trials: int) -> Iterator[tuple[str, list[int]]]:
    """Numbers of the clips to teach from, with the form that they have."""
    random = np.random.default_rng(4)
    sources: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, clip in enumerate(clips):
        sources[clip.sound, clip.source][clip.session].append(number)
    for sessions in sources.values():
        for form, (wanted, each, most) in FORMS.items():
            enough = [session for session, own in sessions.items() if len(own) >= (each if wanted < 5 else 1)]
            if len(enough) < wanted:
                continue
            for _ in range(min(trials, len(enough) - wanted + 1)):
                some = [sessions[enough[place]] for place in random.permutation(len(enough))[:wanted]]
                chosen = [number for own in some for number in random.permutation(own)[:each].tolist()][:most]
                if len(chosen) >= 5:
                    yield form, chosen


def examples_of(embedder: Embedder, clips: list[Clip], chosen: list[int], negatives: Negatives, *, apart: bool) -> Examples:
    made = together([clips[number].made for number in chosen])
    embeddings, clip, kind = embedder.embeddings(made.cells), made.clip.astype(np.intp), made.kind.astype(np.intp)
    recorded = (kind == HEARD) | (kind == PLACED)
    alike = groups(embeddings[recorded], clip[recorded], negatives.embeddings)
    return Examples(embeddings, clip, kind, alike if apart else None)


def print_cosines(embedder: Embedder, clips: list[Clip], bank: Negatives) -> None:
    """How alike two recordings of one class are, of one session and of several."""
    recorded = [clip.made.cells[(clip.made.kind == HEARD) | (clip.made.kind == PLACED)] for clip in clips]
    number = np.repeat(np.arange(len(clips)), [len(cells) for cells in recorded])
    alike = cosines(embedder.embeddings(np.concatenate(recorded)), number, bank.embeddings)
    pairs: dict[str, list[float]] = defaultdict(list)
    for first, second in zip(*np.triu_indices(len(clips), 1), strict=True):
        one, other = clips[first], clips[second]
        if one.sound == other.sound:
            of = "sources" if one.source != other.source else "sessions of a source" if one.session != other.session else ""
            pairs[f"two {of}" if of else "one session"].append(float(alike[first, second]))
    for name, values in pairs.items():
        low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
        print(f"cosine, two recordings of {name}: {middle:.2f} (a tenth under {low:.2f}, a tenth over {high:.2f}); "
              f"alike {np.mean(np.array(values) >= ALIKE):.0%} of {len(values)} pairs")


def heard(embedder: Embedder, lesson: Lesson, clips: list[Clip]) -> float:
    """Share of the clips with a stretch over the threshold; NaN for none."""
    over = [lesson.probabilities(embedder.embeddings(clip.made.cells[clip.made.kind == HEARD])).max() >= lesson.threshold
            for clip in clips]
    return float(np.mean(over)) if over else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare what teach foretells with what is heard.")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--trials", type=int, default=3, help="of each form and source")
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir)
    embedder, folder = Embedder(model), model_folder(options.model, options.state_dir)
    clips = clips_of(embedder)
    bank = negatives_for(embedder, folder, model.manifest, options.state_dir, Taught.nothing(model.manifest), name="")
    print_cosines(embedder, clips, bank)
    bank = bank.only(np.arange(len(bank.names)) % options.every == 0)
    found: dict[str, list[list[float]]] = defaultdict(list)
    for form, chosen in drawn(clips, options.trials):
        sound, source = clips[chosen[0]].sound, clips[chosen[0]].source
        negatives = bank.only(~np.isin(bank.names, [sound, *LIKE[sound]]) & (bank.sources != source))
        alone = learn_sound(examples_of(embedder, clips, chosen, negatives, apart=False), negatives, alarms_per_hour=2.0)
        lesson = learn_sound(examples_of(embedder, clips, chosen, negatives, apart=True), negatives, alarms_per_hour=2.0)
        sessions = {clips[number].session for number in chosen}
        own = [clip for number, clip in enumerate(clips) if clip.sound == sound and number not in chosen]
        of_source = [clip for clip in own if clip.source == source]
        found[form].append([
            lesson.groups, alone.heard / alone.clips, lesson.heard / lesson.clips,
            heard(embedder, lesson, [clip for clip in of_source if clip.session in sessions]),
            heard(embedder, lesson, [clip for clip in of_source if clip.session not in sessions]),
            heard(embedder, lesson, [clip for clip in own if clip.source != source])])
        print(form, sound, source, " ".join(f"{value:.2f}" for value in found[form][-1]), file=sys.stderr, flush=True)
    if not found:
        return
    print("| taught from | lessons | found alike | foretold: without itself | without its group | heard: same sessions "
          "| other sessions | other sources |\n|---|---|---|---|---|---|---|---|")
    for form, rows in found.items():
        for name, some in ((f"{form}, found alike", [row for row in rows if row[0] == 1]),
                           (f"{form}, in groups", [row for row in rows if row[0] > 1])):
            if some:
                shown = " | ".join(f"{value:.2f}" for value in np.nanmean(np.array(some)[:, 1:], axis=0))
                print(f"| {name} | {len(some)} | {len(some) / len(rows):.0%} | {shown} |")


if __name__ == "__main__":
    main()
