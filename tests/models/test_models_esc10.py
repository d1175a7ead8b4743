"""models/esc10*.py: no choice and no fit sees the fold that is scored, labels that mean nothing teach nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edge.stream import PATCH_SAMPLES

pytest.importorskip("soundfile", reason="models/starter/clips.py reads recordings with it")

ROOT = Path(__file__).resolve().parents[2]
CLASSES, EACH, SIZE = 3, 2, 12


@pytest.fixture(scope="module", autouse=True)
def _reachable() -> Iterator[None]:
    """models/ is no part of the package."""
    before = sys.path[:]
    sys.path.insert(0, str(ROOT / "models"))
    yield
    sys.path[:] = before


@pytest.fixture(scope="module")
def material() -> ModuleType:
    import esc10_material
    return esc10_material


@pytest.fixture(scope="module")
def choice() -> ModuleType:
    import esc10_choice
    return esc10_choice


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    import esc10_audit
    return esc10_audit


@pytest.fixture
def toy(material: ModuleType) -> Any:
    """Five folds of three classes, two recordings of a class in each, one source each: easily told apart, with noise."""
    rng = np.random.default_rng(7)
    fold, label = (each.ravel() for each in np.meshgrid(material.FOLDS, np.repeat(np.arange(CLASSES), EACH), indexing="ij"))
    kind = np.tile([material.PATCH, material.PATCH, material.HEARD, material.PLACED, material.ALTERED], len(label))
    clip = np.repeat(np.arange(len(label)), 5)
    centre = rng.normal(0, 40, (CLASSES, SIZE))
    cells = np.clip(centre[label[clip]] + rng.normal(0, 15, (len(clip), SIZE)), -128, 127).astype(np.int8)
    return material.Corpus(
        np.array([f"a__{number}" for number in range(len(label))]), label, fold,
        np.array([f"source {number}" for number in range(len(label))]), ("a", "b", "c"), cells, clip, kind,
        np.zeros(len(clip), np.float32), np.zeros(len(clip), np.float32), 0.1, 0)


def test_a_part_of_the_folds_holds_nothing_of_the_others(toy: Any) -> None:
    part = toy.only([2, 5])
    assert set(part.fold) == {2, 5} and len(part.label) == 2 * CLASSES * EACH
    assert list(part.path[part.clip[::5]]) == list(toy.path[np.isin(toy.fold, [2, 5])])
    for number, path in enumerate(part.path):
        np.testing.assert_array_equal(part.cells[part.clip == number], toy.cells[toy.clip == list(toy.path).index(path)])


@pytest.mark.big
def test_the_choice_and_the_rows_see_only_the_training_folds(toy: Any, choice: ModuleType) -> None:
    options = choice.grid(("patches", "altered"), ((0.04, 0.1), (1.0, 1.0)))
    own = toy.fold == 3
    rng = np.random.default_rng(1)
    other = replace(
        toy, label=np.where(own, (toy.label + 1) % CLASSES, toy.label),
        cells=np.where(own[toy.clip][:, None], rng.integers(-128, 128, toy.cells.shape), toy.cells).astype(np.int8))
    first, second = choice.nested(toy, options, 3), choice.nested(other, options, 3)
    assert first.chosen == second.chosen
    rows = [choice.fit(each.only([1, 2, 4, 5]), first.chosen.option.form) for each in (toy, other)]
    np.testing.assert_array_equal(rows[0].weights, rows[1].weights)
    assert not np.allclose(first.scores, second.scores), "the fold itself is what was changed"
    # Changed where it may be seen, it is seen.
    assert choice.nested(other, options, 2).chosen != choice.nested(toy, options, 2).chosen


def test_a_recording_is_scored_by_rows_of_other_folds(toy: Any, choice: ModuleType) -> None:
    (option,) = [each for each in choice.SMALL_GRID if (each.counted, each.pooling) == ("all", "mean")][:1]
    found = choice.held_out_scores(toy, [option])[option]
    own = toy.fold == 4
    rows = choice.fit(toy.only([1, 2, 3, 5]), option.form)
    np.testing.assert_array_equal(found[own], choice.scores(toy.only([4]), rows, [option])[option])
    assert (found.argmax(axis=1) == toy.label).mean() > 0.9


def test_every_recording_weighs_the_same_however_much_was_made_of_it(toy: Any, choice: ModuleType) -> None:
    form = choice.Form("patches", 0.1, 1.0)
    again = np.concatenate((np.arange(len(toy.clip)), np.flatnonzero(toy.clip == 0)))
    doubled = replace(toy, **{name: getattr(toy, name)[again] for name in ("cells", "clip", "kind", "below_db", "silent")})
    # The same embeddings twice move centre and spread a little, and nothing else.
    np.testing.assert_allclose(choice.fit(doubled, form).weights, choice.fit(toy, form).weights, atol=0.02)


def test_poolings_are_what_they_are_called(choice: ModuleType) -> None:
    logits, clip = np.array([[0.0, 2.0], [4.0, 0.0], [1.0, -1.0]], np.float32), np.array([0, 0, 1])
    expected = {"mean": [2.0, 1.0], "max": [4.0, 2.0], "log-mean-exp": np.log([(1 + np.e**4) / 2, (np.e**2 + 1) / 2]),
                "log-probability": -np.log([(1 + np.e**2) * (1 + np.e**-4), (1 + np.e**-2) * (1 + np.e**4)]) / 2}
    assert set(expected) == set(choice.POOLINGS)
    for pooling, wanted in expected.items():
        np.testing.assert_allclose(choice.clip_scores(logits, clip, 2, pooling)[0], wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="recording 2: nothing"):
        choice.clip_scores(logits, clip, 3, "mean")


def test_cross_entropy_does_not_count_scales(choice: ModuleType) -> None:
    found, label = np.array([[1.0, 0.0], [0.0, 2.0], [0.3, 0.0]]), np.array([0, 1, 1])
    assert choice.cross_entropy(found, label) == pytest.approx(choice.cross_entropy(4.0 * found, label), rel=1e-6)
    assert choice.cross_entropy(found, 1 - label) == pytest.approx(np.log(2), abs=0.05), "wrong is no better than nothing"


def test_a_source_in_two_folds_is_refused(toy: Any, checks: ModuleType) -> None:
    assert list(checks.sources(toy)) == ["30 Freesound numbers, 0 of them in more than one fold"]
    group = toy.group.copy()
    group[-1] = group[0]
    with pytest.raises(ValueError, match="found source 0 in more than one fold"):
        list(checks.sources(replace(toy, group=group)))


def test_what_was_put_up_together_is_left_out(toy: Any, checks: ModuleType) -> None:
    numbers = 1_000 * np.arange(len(toy.label))
    numbers[-1] = numbers[EACH - 1 + EACH * (CLASSES - 1)] + 30  # the last of fold 1, of the same class
    numbers[-EACH - 1] = numbers[0] + 30  # of another class
    line, named, _ = checks.sessions(replace(toy, group=np.array([f"ESC-10/{number}" for number in numbers])))
    assert line.endswith("1 pairs") and named.split() == ["5000", "and", "5030"]


def test_shuffled_labels_go_by_source(toy: Any, checks: ModuleType) -> None:
    paired = replace(toy, group=np.repeat(toy.group[::2], 2))
    dealt = checks.shuffle(paired, 0)
    assert (dealt.label[::2] == dealt.label[1::2]).all() and (dealt.label != toy.label).any()
    assert np.bincount(dealt.label).tolist() == [10, 10, 10]


def test_a_copy_is_found_and_noise_is_not(checks: ModuleType) -> None:
    rng = np.random.default_rng(3)
    sound, other = rng.normal(0, 1000, (2, 16_000))
    assert checks.alike(sound, -0.2 * sound[5_000:11_000], 2_000) == pytest.approx(1.0)
    part = np.concatenate((np.zeros(3_000), 3.0 * sound[5_000:11_000], other[:500]))
    assert checks.alike(sound, part, 2_000) > 0.75, "a copy with silence before and something else behind it"
    assert checks.alike(part, sound, 2_000) == pytest.approx(checks.alike(sound, part, 2_000), rel=1e-6)
    assert checks.alike(sound, other, 2_000) < 0.2
    assert checks.alike(sound, sound[:600], 2_000) == pytest.approx(1.0), "one that is shorter counts whole"


def test_what_may_not_train_does_not(toy: Any, checks: ModuleType) -> None:
    near = np.zeros((len(toy.label), len(toy.label)), np.bool_)
    np.testing.assert_array_equal(checks.without_alike(toy, near), checks.fixed(toy))
    # Without what is of its class, none can be named right.
    assert not checks.without_alike(toy, (toy.label[:, None] == toy.label) & (toy.label == 1))[toy.label == 1].any()


class _Nearest:
    """A solver for tests: the nearest mean of a class."""

    def fit(self, embeddings: np.ndarray, label: np.ndarray) -> None:
        self.seen = len(label)
        self.centre = np.stack([embeddings[label == each].mean(axis=0) for each in range(CLASSES)])

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        near = np.exp(-np.linalg.norm(embeddings[:, None] - self.centre, axis=2))
        return near / near.sum(axis=1, keepdims=True)


def test_another_solver_is_fitted_to_the_other_folds(toy: Any, material: ModuleType) -> None:
    import esc10_solver
    patches, solver = esc10_solver.every_other(toy), _Nearest()
    assert list(patches.clip) == list(range(len(toy.label))) and (patches.kind == material.PATCH).all()
    right = esc10_solver.by_solver(patches, np.ones(len(patches.clip), np.bool_), solver, standardised=False)
    assert right.mean() > 0.9 and solver.seen == 4 * CLASSES * EACH
    moved = replace(patches, label=np.where(toy.fold == 2, (toy.label + 1) % CLASSES, toy.label))
    wrong = esc10_solver.by_solver(moved, np.ones(len(patches.clip), np.bool_), solver, standardised=False)
    assert not wrong[toy.fold == 2].any(), "labels of the fold that is scored change nothing but the score"
    padded = esc10_solver.padded(patches, np.full((1, SIZE), -128, np.int8))
    assert (np.bincount(padded.clip) == 9).all() and (padded.silent == 1.0).sum() == 8 * len(toy.label)


def test_silence_is_measured_and_padding_can_be_left_out(material: ModuleType) -> None:
    sound = np.full(16_000, 5, np.int16)
    assert material.silent_share(sound) == 0.0
    sound[100:110] = 0  # a zero now and then is no silence
    sound[8_000:12_000] = 0
    assert material.silent_share(sound) == 0.25
    for length in (3_000, PATCH_SAMPLES, PATCH_SAMPLES + 1, 80_000):
        samples = np.arange(1, length + 1).astype(np.int16) | 1
        assert material.patch_starts(length)[-1] + PATCH_SAMPLES >= length
        padded = [patch for _, patch in material.patches_of(samples)]
        assert len(padded) == len(material.patch_starts(length)) and padded[-1].shape == (PATCH_SAMPLES,)
        assert not any(material.silent_share(patch) for _, patch in material.patches_of(material.looped(samples)))


def test_the_folds_are_those_of_esc10(material: ModuleType, shared: Path) -> None:
    clips = material.esc10_clips()
    fold = np.array([material.esc10_fold(clip) for clip in clips])
    label = np.array([clip.label for clip in clips])
    _, each = np.unique(np.stack([fold.astype(str), label]), axis=1, return_counts=True)
    assert len(clips) == 400 and len(each) == 50 and (each == 8).all()
    sources = {(clip.group, int(one)) for clip, one in zip(clips, fold, strict=True)}
    assert len(sources) == len({group for group, _ in sources}) == 304


@pytest.mark.big
def test_real_labels_teach_and_shuffled_ones_do_not(material: ModuleType, checks: ModuleType, shared: Path) -> None:
    from edge.learn.embedding import Embedder
    from edge.model.classifier import open_model

    taken: dict[tuple[str, int], list[Any]] = {}
    for clip in material.esc10_clips():
        taken.setdefault((clip.label, material.esc10_fold(clip)), []).append(clip)
    subset = [clip for clips in taken.values() for clip in clips[:2]]
    corpus = material.gather(Embedder(open_model(ROOT / "models" / "starter")), subset, patches_only=True)
    assert checks.fixed(corpus).mean() > 0.75
    assert checks.fixed(checks.shuffle(corpus, 0)).mean() < 0.25
