"""The embedded model: its files fit together, its sources are allowed, and it hears recordings that never trained it."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.features.frontend import FrontEnd
from edge.learn.figures import area_under_curve
from edge.model.classifier import Model, open_model
from edge.model.manifest import file_sha256
from edge.model.runtime import open_runtime
from edge.stream import Block, StreamFormat
from edge.workshop.classify import classify
from tests.recordings import first_and_later

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "models" / "starter"
MANIFEST = json.loads((STARTER / "manifest.json").read_text(encoding="utf-8"))
SAMPLED = 50  # clips of each side: enough for a floor, quick enough for every run


@pytest.fixture(scope="module")
def starter() -> Model:
    return open_model(STARTER)


@pytest.fixture(scope="module")
def clips(shared: Path) -> list[dict[str, str]]:
    """Every row of the recordings' manifest."""
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def loudest(shared: Path, starter: Model) -> Callable[[str], np.ndarray]:
    """The highest score of each label over the patches of a clip (its first ten seconds), by the clip's path."""
    soundfile = pytest.importorskip("soundfile")
    known: dict[str, np.ndarray] = {}

    def listen(path: str) -> np.ndarray:
        if path not in known:
            samples, rate = soundfile.read(shared / "data" / path, frames=160_000, dtype="int16")
            known[path] = classify(starter, samples, rate=rate).scores.max(axis=0)
        return known[path]

    return listen


def spread(rows: list[dict[str, str]], count: int) -> Iterator[str]:
    """Paths of so many clips, evenly over the sources in turn."""
    by_source: dict[str, list[str]] = {}
    for row in rows:
        by_source.setdefault(row["source_repo"], []).append(row["path"])
    turns = [paths[turn] for turn in range(count) for paths in by_source.values() if turn < len(paths)]
    yield from turns[:count]


def test_the_manifest_tells_the_truth_about_its_files() -> None:
    for part in ("backbone", "head"):
        path = STARTER / MANIFEST[part]["file"]
        assert (path.stat().st_size, file_sha256(path)) == (MANIFEST[part]["bytes"], MANIFEST[part]["sha256"])
    with np.load(STARTER / "head.npz", allow_pickle=False) as head:
        assert head["weights"].shape == (len(MANIFEST["labels"]), MANIFEST["backbone"]["output"]["shape"][-1])
        assert (head["weights"].dtype, head["bias"].dtype) == (np.float32, np.float32)
        assert head["bias"].shape == (len(MANIFEST["labels"]),)


def test_it_is_small_enough_for_a_small_board() -> None:
    training = json.loads((STARTER / "training.json").read_text(encoding="utf-8"))
    assert MANIFEST["backbone"]["bytes"] < 600_000
    assert training["multiplies"] <= 25_000_000


def test_xnnpack_takes_every_operator_where_it_takes_int8_at_all() -> None:
    runtime = open_runtime(STARTER / "backbone.tflite")
    if runtime.name != "LiteRT":
        pytest.skip(f"{runtime.name}: XNNPACK takes no int8 operator there")
    assert re.search(r"\b(\d+) of \1 operators", runtime.describe()), runtime.describe()


def test_int8_loses_next_to_nothing() -> None:
    training = json.loads((STARTER / "training.json").read_text(encoding="utf-8"))
    assert training["explained"] > 0.99
    assert training["score_difference_mean"] < 0.01
    for name, one in training["points"]["probes"].items():
        before, after = (right / of for right, of in (one["float"], one["int8"]))
        assert after >= before - 0.005, name
    for name, one in training["points"]["labels"].items():
        assert one["int8"]["area"] >= one["float"]["area"] - 0.005, name


def test_its_embedding_tells_sounds_apart_that_it_was_not_trained_on() -> None:
    probes = json.loads((STARTER / "training.json").read_text(encoding="utf-8"))["points"]["probes"]
    right, of = probes["ESC-10 fold 5"]["int8"]
    assert right / of >= 0.93


def test_it_offers_what_it_must_hear() -> None:
    offered = {target["name"]: target for target in MANIFEST["targets"]}
    assert {"hand_clap", "typing"} <= offered.keys()
    assert not {"hand_clap", "typing"} & set(MANIFEST["experimental"])
    assert "finger_snap" in MANIFEST["experimental"]
    assert list(offered) == MANIFEST["labels"], "every label has a measured threshold"
    standard = {name for name, target in offered.items() if target["standard"]}
    assert standard == set(MANIFEST["labels"]) - set(MANIFEST["experimental"]) | {"baby_cry", "snoring"}


def test_the_card_is_about_these_files() -> None:
    card = (STARTER / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert MANIFEST["backbone"]["sha256"] in card
    assert MANIFEST["head"]["sha256"] in card


def test_no_clip_for_measuring_only_trained_it(clips: list[dict[str, str]]) -> None:
    allowed = {row["path"]: row["sha256"] for row in clips if row["split"] == "train"}
    with (STARTER / "sources.csv").open(newline="", encoding="utf-8") as file:
        used = {row["path"]: row["sha256"] for row in csv.DictReader(file)}
    assert len(used) > 1_000
    assert not [path for path in used if not path.startswith("train/") or "ESC-10__5-" in path]
    assert used.items() <= allowed.items()


def test_training_patches_are_the_appliances_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(STARTER))
    from bands import patch_of, quantised

    sound = np.random.default_rng(3).normal(0.0, 0.1, 15_600).astype(np.float32)
    samples = np.clip(np.round(sound * 32_768.0), -32_768, 32_767).astype(np.int16)
    front_end = FrontEnd(wants="bands", patch_samples=15_600, hop_seconds=0.24)
    (patch,) = front_end.push(Block(samples, 0, StreamFormat(16_000, 1), gap=False))
    assert np.array_equal(patch_of(sound), quantised(patch.data))
    assert MANIFEST["backbone"]["input"]["scale"] == pytest.approx(sys.modules["bands"].INPUT_SCALE, rel=1e-6)
    assert MANIFEST["backbone"]["input"]["zero_point"] == sys.modules["bands"].INPUT_ZERO_POINT


CUT = "thoaidn05/Sound-Classify"
"""The sound itself started this recorder: the attack is cut off, and a knock is one blow on furniture."""


@pytest.mark.big
@pytest.mark.parametrize(("label", "classes", "beside", "first_floor", "later_floor"), [
    ("hand_clap", {"hand_clap"}, {"applause"}, 0.95, 0.93),
    ("typing", {"keyboard_typing"}, {"keyboard_key", "typewriter", "mouse_click"}, 0.97, 0.96),
    ("door_knock", {"door_knock"}, set(), 0.97, 0.97),
    ("siren", {"siren"}, {"alarm_beep", "smoke_alarm"}, 0.96, 0.96),
])
def test_it_hears_recordings_that_it_never_trained_on(
    label: str, classes: set[str], beside: set[str], first_floor: float, later_floor: float, shared: Path,
    loudest: Callable[[str], np.ndarray],
) -> None:
    """Among the first recordings, and again among those added on 2026-11-29.

    A class that got no new recordings keeps its first ones, among new negatives. The later recordings are
    harder as a whole, for 73 finger snaps are among the negatives: claps 0.953 (0.978 among the first),
    typing 0.983 (0.990). Of door knocks there is one. Recordings without their attack are measured in the
    next test.
    """
    row = MANIFEST["labels"].index(label)
    first, later = ([each for each in rows if each["split"] == "eval"] for rows in first_and_later(shared))
    later = [each for each in later if each["source_repo"] != CUT]

    def area(present: list[dict[str, str]], rows: list[dict[str, str]]) -> float:
        return area_of(row, spread(present, SAMPLED), spread(of_others(rows, classes | beside), 2 * SAMPLED), loudest)

    before = area(of(first, classes), first)
    since = area(of(later, classes) or of(first, classes), later)
    print(f"{label}: area under the curve {before:.3f}, among later recordings {since:.3f}")
    assert before >= first_floor and since >= later_floor


def test_claps_without_their_attack_are_harder_to_hear(
    shared: Path, loudest: Callable[[str], np.ndarray],
) -> None:
    """Area under the curve among the later recordings: claps 0.85 (0.95 with attack), single blows 0.30.

    The model hears no knock in one blow without its attack. Nor does YAMNet, its teacher: it names one of 15
    a knock.
    """
    _, later = first_and_later(shared)
    unheard = [each for each in later if each["split"] == "eval"]
    cut, rest = ([each for each in unheard if (each["source_repo"] == CUT) is is_cut] for is_cut in (True, False))
    areas = {label: area_of(MANIFEST["labels"].index(label), spread(of(cut, {label}), SAMPLED),
                            spread(of_others(rest, {label, "applause"}), 2 * SAMPLED), loudest)
             for label in ("hand_clap", "door_knock")}
    print("without their attack: " + ", ".join(f"{label} {area:.3f}" for label, area in areas.items()))
    assert areas["hand_clap"] >= 0.82


def of(rows: list[dict[str, str]], classes: set[str]) -> list[dict[str, str]]:
    return [each for each in rows if each["class"] in classes]


def of_others(rows: list[dict[str, str]], classes: set[str]) -> list[dict[str, str]]:
    return [each for each in rows if each["class"] not in classes]


def area_of(row: int, present: Iterator[str], absent: Iterator[str], loudest: Callable[[str], np.ndarray]) -> float:
    """Area under the curve of one label's highest score: recordings of the sound against others."""
    scores = [[loudest(path)[row] for path in paths] for paths in (present, absent)]
    truth = np.repeat([True, False], [len(side) for side in scores])
    return float(area_under_curve(np.concatenate(scores).astype(np.float32), truth))
