"""Scenes of single sounds: halves share no source, ratios are as asked, sounds lie where they are said to."""

from __future__ import annotations

import importlib
import sys
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000


@pytest.fixture(scope="module")
def tools(shared: Path) -> Any:
    """Imports a module of models/scenes, which is no part of the package."""
    pytest.importorskip("soundfile")
    folders = [str(ROOT / "models" / name) for name in ("scenes", "starter")]
    sys.path[:0] = folders
    try:
        yield importlib.import_module
    finally:
        for folder in folders:
            sys.path.remove(folder)


def test_the_deal_is_even_and_a_source_lies_in_one_half(tools: Any) -> None:
    halves = tools("halves")
    units = [f"owner/{number}" for number in range(40)] + list(halves.REPORTS)
    shares = {"hand_clap": dict.fromkeys(units[:20], 1.0), "over talk": dict.fromkeys(units[20:40], 10.0)}
    dealt = halves.most_even(shares, units, 300)
    assert dealt == halves.most_even(shares, units, 300) and set(dealt) == set(units)
    for own in shares.values():
        assert abs(sum(1 if dealt[name] == "report" else -1 for name in own)) <= 2
    assert all(dealt[name] == "report" for name in halves.REPORTS)


def test_the_halves_as_listed_share_no_source_and_are_balanced(tools: Any) -> None:
    halves = tools("halves")
    clips = halves.candidates()
    by_half = {half: [clip for clip in clips if halves.half_of(clip) == half] for half in halves.HALVES}
    of = {half: {clip.source if "ESC-10" not in clip.source else clip.group for clip in own
                 if clip.label not in halves.BY_RECORDING} for half, own in by_half.items()}
    assert not of["choose"] & of["report"]
    assert not {clip.path for clip in by_half["choose"]} & {clip.path for clip in by_half["report"]}
    for own in by_half.values():
        assert len({clip.source for clip in own if clip.label == "hand_clap"}) >= 12
        assert len({clip.source for clip in own if clip.label == "finger_snap"}) >= 2
        assert sum(clip.label == "rir" for clip in own) >= 3
        for labels in halves.BEDS.values():
            assert sum(clip.seconds for clip in own if clip.label in labels) > 50.0
    trained = {clip.group for clip in tools("clips").training_clips()}
    sounds = {*halves.TARGETS, *halves.HARD, "rir"}
    assert not [clip.path for clip in clips if clip.label in sounds and clip.group in trained], "its source trains"
    assert all(clip.split == "eval" or clip.held_out for clip in clips)
    assert not [clip.path for clip in clips if clip.source == "thoaidn05/Sound-Classify" and clip.label == "hand_clap"]


def test_the_loudest_twenty_milliseconds(tools: Any) -> None:
    impulses = tools("impulses")
    sound = np.zeros(4_000, np.float32)
    sound[1_000:1_320] = 0.5
    sound[2_000:2_010] = 0.9
    assert impulses.loudest_rms(sound) == pytest.approx(0.5)
    assert impulses.loudest_rms(np.full(80, 1.0, np.float32)) == pytest.approx(0.5), "5 ms of 1 in 20 ms"


def test_a_room_delays_no_sound_and_starts_with_what_comes_first(tools: Any) -> None:
    impulses = tools("impulses")
    response = np.zeros(RATE, np.float32)
    response[3_000], response[4_000] = 0.5, 0.9
    kept = impulses.from_direct_sound(response)
    assert 0 < int(np.flatnonzero(kept)[0]) <= 32
    heard = impulses.in_room(np.array([0.0, 1.0, -1.0], np.float32), kept)
    first = int(np.flatnonzero(kept)[0]) + 1
    assert heard[first : first + 2] == pytest.approx([0.5, -0.5], abs=1e-4)
    assert heard[first + 1_000] == pytest.approx(0.9, abs=1e-4)


@pytest.mark.big
def test_sounds_have_the_ratio_asked_for_and_begin_where_they_are_said_to(tools: Any) -> None:
    halves, onset_scene, impulses = tools("halves"), tools("onset_scene"), tools("impulses")
    scenes = list(islice(onset_scene.Scenes("choose", 7).all(), 8))
    assert [one.ratio_db for one in scenes] == [None] * 4 + [30.0] * 4
    assert [one.background for one in scenes] == ["quiet"] * 4 + list(halves.BEDS)
    again = list(islice(onset_scene.Scenes("choose", 7).all(), 5))
    assert all((one.scene.samples == other.scene.samples).all() for one, other in zip(scenes, again, strict=False))
    own = {clip.path for clip in halves.clips_of("choose", ("hand_clap",))}
    for one in scenes:
        placed = one.scene.placed
        assert {each.label for each in placed} == {"hand_clap"} and {each.path for each in placed} <= own
        by_source = [sum(each.source == source for each in placed) for source in {each.source for each in placed}]
        assert set(by_source) == {2}, "each source gives as many"
        assert all(1.5 <= (two.onset - first.onset) / RATE <= 3.0 for first, two in pairwise(placed))
        sound = (one.scene.samples / 32768.0).astype(np.float32)
        if one.ratio_db is None:
            for each in placed:
                before = np.abs(sound[each.onset - 800 : each.onset - 40]).mean()
                assert np.abs(sound[each.onset : each.onset + 640]).max() > 10 * before
            continue
        loudest = [20 * np.log10(impulses.loudest_rms(sound[each.onset - 160 : each.onset + RATE])) for each in placed]
        assert np.array(loudest) - one.background_dbfs == pytest.approx(np.full(len(placed), 30.0), abs=1.5)
        assert np.median(loudest) - one.background_dbfs == pytest.approx(30.0, abs=0.3)


@pytest.mark.big
def test_a_background_has_the_level_that_is_said_and_comes_from_its_half(tools: Any) -> None:
    halves, onset_scene, impulses = tools("halves"), tools("onset_scene"), tools("impulses")
    tape = impulses.Tape("report", halves.BEDS["music"], np.random.default_rng(1))
    one, clips = tape.take(RATE)
    other, _ = tape.take(RATE)
    assert np.sqrt(np.mean(one.astype(float) ** 2)) == pytest.approx(1.0, abs=1e-3) and not np.array_equal(one, other)
    assert set(clips) <= {clip.path for clip in halves.clips_of("report", ("neg_music",))}
    scenes = onset_scene.Scenes("report", 7)
    alone = list(scenes.alone())
    assert {one.background for one in alone} == set(halves.ALONE)
    assert sum(len(one.scene.samples) for one in alone) / RATE > 1_200, "twenty minutes"
    for one in alone:
        assert not one.scene.placed
        rms = np.sqrt(np.mean((one.scene.samples / 32768.0) ** 2))
        assert 20 * np.log10(rms) == pytest.approx(one.background_dbfs, abs=0.3)
        assert {halves.half_of(clip) for clip in halves.candidates() if clip.path in one.scene.behind} == {"report"}


@pytest.mark.big
def test_rooms_are_of_the_half(tools: Any) -> None:
    halves, impulses = tools("halves"), tools("impulses")
    rooms = {half: set(impulses.Impulses(half).rooms) for half in halves.HALVES}
    assert all(rooms.values()) and not rooms["choose"] & rooms["report"]


@pytest.mark.big
def test_lasting_sounds_lie_apart_at_the_ratio_asked_for(tools: Any) -> None:
    lasting_scene, impulses = tools("lasting_scene"), tools("impulses")
    scenes = list(islice(lasting_scene.LastingScenes("report", 7).all(), 6))
    assert [one.ratio_db for one in scenes] == [None] * 4 + [20.0] * 2
    for one in scenes[4:]:
        sound = (one.scene.samples / 32768.0).astype(np.float32)
        for each, following in pairwise(one.scene.placed):
            assert following.onset - each.offset >= 6.0 * RATE
            assert 4.0 <= (each.offset - each.onset) / RATE <= 15.0 and each.label == "keyboard_typing"
            loudest = 20 * np.log10(impulses.loudest_rms(sound[each.onset - 160 : each.offset + RATE]))
            assert loudest - one.background_dbfs == pytest.approx(20.0, abs=2.5)
