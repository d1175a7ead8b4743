"""Regularised logistic regression of many labels at once, weighted, with unused cells; and folds that keep groups whole."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

Floats = npt.NDArray[np.float32]


def fit_rows(embeddings: Floats, wanted: Floats, weights: Floats, ridge: float | Floats) -> tuple[Floats, Floats]:
    """Fit every label's row.

    ``embeddings`` float32 (n, e); ``wanted`` float32 (n, labels), 0 or 1; ``weights`` float32 (n, labels), 0 where a
    window says nothing about a label; ``ridge`` one for all, or float32 (labels, e) on values over their deviation.
    Gives weights float32 (labels, e) and bias float32 (labels,), for embeddings as they are.
    """
    centre, spread = embeddings.mean(0), embeddings.std(0) + 0.05 * embeddings.std()
    inputs = torch.from_numpy((embeddings - centre) / spread)
    answers, shares = torch.from_numpy(wanted), torch.from_numpy(weights / np.maximum(weights.sum(0), 1e-9))
    penalty = torch.as_tensor(ridge, dtype=torch.float32)
    rows = torch.zeros(wanted.shape[1], embeddings.shape[1], requires_grad=True)
    bias = torch.zeros(wanted.shape[1], requires_grad=True)
    optimiser = torch.optim.LBFGS([rows, bias], max_iter=150, history_size=12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = inputs @ rows.T + bias
        entropy = functional.binary_cross_entropy_with_logits(logits, answers, reduction="none")
        total = (entropy * shares).sum() + (penalty * rows.square()).sum()
        total.backward()
        return total

    optimiser.step(loss)
    scaled = rows.detach().numpy() / spread
    return scaled.astype(np.float32), (bias.detach().numpy() - scaled @ centre).astype(np.float32)


def folds_of(groups: list[str], kinds: list[str], count: int) -> npt.NDArray[np.int64]:
    """A fold for each clip: groups stay whole, and each kind's groups are spread over the folds, the largest first."""
    sizes = Counter(groups)
    kinds_of: dict[str, Counter[str]] = {}
    for group, kind in zip(groups, kinds, strict=True):
        kinds_of.setdefault(group, Counter())[kind] += 1
    held: list[Counter[str]] = [Counter() for _ in range(count)]
    fold_of: dict[str, int] = {}
    for group in sorted(sizes, key=lambda name: (-sizes[name], name)):
        crowding = [
            (sum(min(n, 5) * held[fold][kind] for kind, n in kinds_of[group].items()), sum(held[fold].values()), fold)
            for fold in range(count)
        ]
        fold_of[group] = min(crowding)[2]
        held[fold_of[group]].update(kinds_of[group])
    return np.array([fold_of[group] for group in groups])
