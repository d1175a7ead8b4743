"""Rows of float weights, and the logistic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.head import Head, against_the_others, load_head, logistic, save_head


def _head(rows: int = 5, columns: int = 8) -> Head:
    noise = np.random.default_rng(3)
    return Head(noise.normal(size=(rows, columns)).astype(np.float32), noise.normal(size=rows).astype(np.float32))


def test_logistic_neither_overflows_nor_leaves_its_range() -> None:
    scores = logistic(np.array([-np.inf, -1e30, -100, 0, 100, 1e30, np.inf], np.float32))
    assert scores.dtype == np.float32
    assert scores[3] == 0.5
    assert (scores[:3] < 1e-30).all()
    assert (scores[4:] == 1.0).all()


def test_chosen_rows_score_as_they_do_among_all() -> None:
    head = _head()
    embedding = np.arange(8, dtype=np.float32)
    all_rows = head.logits(embedding)
    assert all_rows.dtype == np.float32
    assert np.allclose(head.rows([3, 0]).logits(embedding), all_rows[[3, 0]], rtol=1e-6)


def test_a_head_comes_back_from_its_file_and_the_file_is_always_the_same(tmp_path: Path) -> None:
    head = _head()
    save_head(tmp_path / "a.npz", head)
    save_head(tmp_path / "b.npz", head)
    back = load_head(tmp_path / "a.npz", rows=5, columns=8)
    assert np.array_equal(back.weights, head.weights) and np.array_equal(back.bias, head.bias)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(("arrays", "found"), [
    ({"weights": np.zeros((4, 8), np.float32), "bias": np.zeros(4, np.float32)}, r"\[4, 8\]"),
    ({"weights": np.zeros((5, 8)), "bias": np.zeros(5)}, "float64"),
    ({"weights": np.zeros((5, 8), np.float32), "bias": np.zeros(4, np.float32)}, r"bias float32 \[4\]"),
    ({"weights": np.zeros((5, 8), np.float32)}, "bias"),
    ({"weights": np.full((5, 8), np.nan, np.float32), "bias": np.zeros(5, np.float32)}, "finite"),
])
def test_a_head_of_another_form_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], found: str) -> None:
    np.savez(tmp_path / "head.npz", **arrays)
    with pytest.raises(ModelError, match=found):
        load_head(tmp_path / "head.npz", rows=5, columns=8)


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "head.npy", np.zeros((5, 8), np.float32))
    with pytest.raises(ModelError, match="a single array"):
        load_head(tmp_path / "head.npy", rows=5, columns=8)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x93NUMPY", b"words"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.npz").write_bytes(content)
    with pytest.raises(ModelError, match="head"):
        load_head(tmp_path / "head.npz", rows=5, columns=8)


def test_a_logit_against_the_others_is_the_softmax() -> None:
    values = np.array([[3.0, 1.0, 0.0], [100.0, 0.0, -50.0]], np.float32)
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    found = against_the_others(values)
    assert found.dtype == np.float32
    assert np.allclose(logistic(found), exponentials / exponentials.sum(axis=1, keepdims=True), atol=1e-6)
    assert found[1].tolist() == [100.0, -100.0, -150.0]  # exact where one outweighs the rest
