"""The look network's files fit together and its sources are allowed; its training makes sounds and looks as it says."""

from __future__ import annotations

import csv
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from edge.control.loading import impulse_folder, open_looks
from edge.decision.onset import CENTRE, OnsetDetector
from edge.features.logmel import LogMel
from edge.features.look import AFTER, BEFORE, EARLY, HIGHEST, HISTORY, LOWEST, SHOWN, look
from edge.model.impulse import load_impulse_manifest
from edge.model.runtime import open_runtime
from edge.stream import FRAME_SAMPLES, FRAME_STEP
from models.impulse.hands import clap_by_formula, crossed, snap_by_formula
from models.impulse.rooms import SECONDS, room
from models.impulse.stock import LABELS, LEAD, SAMPLE_RATE, Stock, onsets_of, own_clips
from models.impulse.struck import glass_by_formula, knock_by_formula
from models.impulse.window import LEADING, Maker

ROOT = Path(__file__).resolve().parents[2]
IMPULSE = ROOT / "models" / "impulse"
MOST_BYTES, MOST_MULTIPLIES = 300_000, 3_000_000
Sound = Callable[[np.random.Generator], np.ndarray]


def test_the_network_is_small() -> None:
    assert (IMPULSE / "look.tflite").stat().st_size <= MOST_BYTES
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(IMPULSE / "look.tflite"))
    tensors = {each["index"]: each["shape"] for each in interpreter.get_tensor_details()}
    total = 0
    for operator in interpreter._get_ops_details():
        weights = tensors[operator["inputs"][1]] if len(operator["inputs"]) > 1 else ()
        if operator["op_name"] == "CONV_2D":
            total += int(np.prod(weights)) * int(np.prod(tensors[operator["outputs"][0]][1:3]))
        elif operator["op_name"] == "FULLY_CONNECTED":
            total += int(np.prod(weights))
        else:
            assert operator["op_name"] in ("RESHAPE", "DELEGATE"), operator["op_name"]
    assert 1_000_000 < total <= MOST_MULTIPLIES


def test_an_unheard_cell_is_the_lowest_step() -> None:
    spec = open_runtime(IMPULSE / "look.tflite").inputs[0].spec
    cells = spec.to_cells(np.array([LOWEST, HIGHEST], np.float32), scratch=np.empty(2, np.float32))
    assert cells[0] == -128 and cells[1] >= 126


def test_the_network_takes_a_first_look_for_one_whose_rows_were_all_heard() -> None:
    """It was trained on first looks of SHOWN rows. One of EARLY rows, unheard from there on, was another sound to it."""
    network = open_looks(impulse_folder(), load_impulse_manifest(impulse_folder()))
    with wave.open(str(ROOT / "models" / "demo" / "claps.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    rows = LogMel().rows(sliding_window_view(samples, FRAME_SAMPLES)[::FRAME_STEP])
    found = [(onset.position - CENTRE) // FRAME_STEP for onset in OnsetDetector().push(rows, 0) if onset.flux_db > 10.0]
    assert len(found) >= 4
    for row in found:
        first, whole = (network.see(look(rows, row, heard), 0) for heard in (EARLY, SHOWN))
        assert first.embedding is not None and whole.embedding is not None
        assert np.linalg.norm(first.embedding - whole.embedding) < 0.2 * np.linalg.norm(whole.embedding)
        assert abs(first.logits - whole.logits)[0] < 0.5  # claps


def test_only_clips_that_may_train_trained_it(shared: Path) -> None:
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        split = {row["path"]: row["split"] for row in csv.DictReader(file)}
    with (IMPULSE / "sources.csv").open(newline="", encoding="utf-8") as file:
        used = [row["path"] for row in csv.DictReader(file)]
    assert len(used) > 1_000 and {split[path] for path in used} == {"train"}


@pytest.mark.parametrize("make", [clap_by_formula, snap_by_formula, knock_by_formula, glass_by_formula])
def test_a_made_sound_begins_where_it_says(make: Sound) -> None:
    for seed in range(5):
        sound = make(np.random.default_rng(seed))
        assert sound.dtype == np.float32 and np.abs(sound).max() == pytest.approx(1.0)
        assert not sound[:LEAD].any() and np.abs(sound[LEAD: LEAD + 800]).max() > 0.2
        assert np.array_equal(sound, make(np.random.default_rng(seed)))


def test_a_crossed_clap_is_none_of_those_it_came_from() -> None:
    claps = [clap_by_formula(np.random.default_rng(seed)) for seed in range(4)]
    made = crossed(np.random.default_rng(9), claps)
    alike = [float(np.corrcoef(made[LEAD: LEAD + 1_000], clap[LEAD: LEAD + 1_000])[0, 1]) for clap in claps]
    assert np.abs(made).max() == pytest.approx(1.0) and max(map(abs, alike)) < 0.5
    energy = np.square(made[LEAD:])
    assert energy[:1_600].sum() > 0.6 * energy.sum()  # over in 0.1 s, as they are


def test_a_room_dies_away() -> None:
    for seed in range(10):
        response = room(np.random.default_rng(seed))
        assert len(response) == round(SECONDS * SAMPLE_RATE)
        quarter = len(response) // 4
        early, late = (float(np.square(part).mean()) for part in (response[:quarter], response[-quarter:]))
        assert late < early


class Silent:
    """Stands where YAMNet teaches: what a window looks like does not depend on it."""

    def embedding(self, sound: np.ndarray, onset: int) -> np.ndarray:
        return np.zeros(1_024, np.float32)


@pytest.mark.big
def test_a_windows_look_is_the_appliances(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    rows: list[np.ndarray] = []
    found = Maker.onsets

    def remembered(samples: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
        places = found(samples)
        rows.extend(every for _, _, every in places[:1])
        return places

    monkeypatch.setattr(Maker, "onsets", staticmethod(remembered))
    stock = Stock.__new__(Stock)
    claps = [clap_by_formula(np.random.default_rng(seed)) for seed in range(3)]
    noise = np.random.default_rng(0).standard_normal(64_000).astype(np.float32)
    stock.singles = {label: {"formula": claps} for label in LABELS}
    stock.beds = {kind: {"noise": [noise]} for kind in ("talk", "music", "ambience", "machines", "animals")}
    stock.rooms, stock.crowd = [np.ones(1, np.float32)], claps
    maker = Maker(stock, {}, Silent())
    kept = [one for seed in range(12) for one in maker.looks(seed)]
    assert len(kept) >= 6
    for one in kept:
        every, row = next((every, row) for every in rows for row in range(HISTORY, len(every) - AFTER + 1)
                          if np.array_equal(every[row - LEADING: row + AFTER].astype(np.float16), one.rows))
        for heard in (EARLY, AFTER):
            shown = one.rows[LEADING - BEFORE:][: BEFORE + heard].astype(np.float32) - one.floor.astype(np.float32)
            expected = look(every, row, heard)[: BEFORE + heard, :, 0]
            assert np.abs(np.clip(shown, LOWEST, HIGHEST) - expected).max() < 0.02  # kept as float16


def test_an_owners_class_that_nothing_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hand_clip").mkdir()
    (tmp_path / "hand_clip" / "one.wav").touch()
    with pytest.raises(ValueError, match=r"hand_clip.*wanted one of"):
        own_clips(tmp_path)
    with pytest.raises(ValueError, match="found no"):
        own_clips(tmp_path / "hand_clip")


def test_onsets_of_a_made_clap_are_found() -> None:
    quiet = np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate((quiet, clap_by_formula(np.random.default_rng(1)), quiet))
    found = [onset for onset in onsets_of(samples) if not onset.echo]
    assert len(found) == 1 and abs(found[0].position - SAMPLE_RATE - LEAD) < 320
