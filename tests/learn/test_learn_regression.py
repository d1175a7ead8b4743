"""The fit of rows: the minimum that scipy finds, whatever the scale; soft, weighted and given logits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from edge.learn.regression import Floats, Wide, fit_rows


def sounds(count: int, columns: int, seed: int = 1) -> tuple[Floats, Floats]:
    """Embeddings as a backbone gives them (0 or more, columns of very different spread) and a noisy answer (n, 1)."""
    random = np.random.default_rng(seed)
    embeddings = np.maximum(random.normal(0.2, 1.0, (count, columns)), 0.0) * np.geomspace(0.2, 3.0, columns)
    logit = (embeddings - embeddings.mean(axis=0)) @ random.normal(0.0, 1.0, columns) / np.sqrt(columns)
    return embeddings.astype(np.float32), (random.random(count) < 1 / (1 + np.exp(-3.0 * logit)))[:, None].astype(np.float32)


def objective(point: Wide, z: Wide, wanted: Wide, weights: Wide, given: Wide, ridge: float) -> float:
    logits = z @ point[:-1] + point[-1] + given
    loss = np.logaddexp(0.0, logits) - wanted * logits
    return float((weights * loss).sum() + ridge / 2.0 * (point[:-1] ** 2).sum())


@pytest.mark.big
@pytest.mark.parametrize(("count", "columns"), [(400, 12), (30, 80)])
@pytest.mark.parametrize("soft", [False, True])
def test_rows_reach_the_minimum_that_scipy_finds(count: int, columns: int, soft: bool) -> None:
    embeddings, wanted = sounds(count, columns)
    random = np.random.default_rng(2)
    weights = random.uniform(0.1, 3.0, (count, 1)).astype(np.float32)
    given = random.normal(0.0, 2.0, (count, 1)).astype(np.float32) if soft else np.zeros((count, 1), np.float32)
    if soft:
        wanted = (0.1 + 0.8 * wanted).astype(np.float32)
    rows, bias = fit_rows(embeddings, wanted, weights, ridge=0.5, given=given)
    z = embeddings.astype(np.float64)
    centre, spread = z.mean(axis=0), z.std(axis=0)
    spread = np.maximum(spread, 0.1 * np.sqrt((spread ** 2).mean()))
    arguments = ((z - centre) / spread, wanted[:, 0], weights[:, 0], given[:, 0], 0.5)
    best = minimize(objective, np.zeros(columns + 1), arguments, method="L-BFGS-B",
                    options={"maxiter": 5000, "maxfun": 10**6, "ftol": 1e-14, "gtol": 1e-9})
    mine = np.append(rows[0] * spread, bias[0] + centre @ rows[0])
    assert objective(mine, *arguments) <= best.fun * (1.0 + 1e-6) + 1e-6


def test_rows_fitted_together_are_those_fitted_one_by_one() -> None:
    embeddings, wanted = sounds(300, 20)
    both = np.concatenate((wanted, 1.0 - wanted, wanted), axis=1)
    weights = np.ones_like(both)
    weights[:100, 2] = 0.0
    rows, bias = fit_rows(embeddings, both, weights, ridge=1.0)
    for column in range(3):
        alone, alone_bias = fit_rows(embeddings, both[:, [column]], weights[:, [column]], ridge=1.0)
        np.testing.assert_allclose(rows[column], alone[0], atol=2e-3)
        np.testing.assert_allclose(bias[column], alone_bias[0], atol=2e-3)
    np.testing.assert_allclose(rows[0], -rows[1], atol=2e-3)


def test_a_weight_of_zero_leaves_an_embedding_out() -> None:
    embeddings, wanted = sounds(200, 10)
    weights = np.ones_like(wanted)
    weights[150:] = 0.0
    turned = wanted.copy()
    turned[150:] = 1.0 - turned[150:]
    np.testing.assert_array_equal(fit_rows(embeddings, wanted, weights, ridge=1.0)[0],
                                  fit_rows(embeddings, turned, weights, ridge=1.0)[0])


def test_a_given_logit_that_explains_everything_needs_no_row() -> None:
    embeddings, _ = sounds(200, 10)
    given = np.linspace(-4.0, 4.0, 200, dtype=np.float32)[:, None]
    wanted = (1.0 / (1.0 + np.exp(-given))).astype(np.float32)
    rows, bias = fit_rows(embeddings, wanted, np.ones_like(given), ridge=1.0, given=given)
    np.testing.assert_allclose(rows, 0.0, atol=1e-4)
    np.testing.assert_allclose(bias, 0.0, atol=1e-4)


def test_separable_sounds_and_silent_columns_give_finite_rows() -> None:
    embeddings = np.zeros((20, 6), np.float32)
    embeddings[10:, 0] = 5.0
    wanted = np.repeat([0.0, 1.0], 10).astype(np.float32)[:, None]
    rows, bias = fit_rows(embeddings, wanted, np.full_like(wanted, 1e4), ridge=1e-3)
    assert np.isfinite(rows).all()
    assert ((embeddings @ rows[0] + bias[0] > 3.0) == (wanted[:, 0] > 0.5)).all()
    assert not rows[0, 1:].any()


def test_what_cannot_be_fitted_is_refused() -> None:
    embeddings, wanted = sounds(10, 4)
    ones = np.ones_like(wanted)
    for bad in ((embeddings[:5], wanted, ones), (embeddings, wanted + 1.0, ones), (embeddings, wanted, -ones),
                (embeddings, wanted, ones * 0.0), (embeddings * np.float32(np.nan), wanted, ones)):
        with pytest.raises(ValueError):
            fit_rows(*bad, ridge=1.0)
    with pytest.raises(ValueError):
        fit_rows(embeddings, wanted, ones, ridge=0.0)
