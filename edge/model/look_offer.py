"""What the look network offers to name: its own targets, and what the owner taught it beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.model.table import within


@dataclass(frozen=True, slots=True)
class Stage:
    """How one look's logit becomes a probability: logistic(scale * logit + offset), Platt (1999)."""

    scale: float = field(metadata=within(1e-6))
    offset: float


@dataclass(frozen=True, slots=True)
class LookBeside:
    """How a patch counts beside a look of a target: logistic(look * its logit + patch * its logit + offset).

    backbone: SHA-256 of the backbone's file that gives the patches' logits. name: of the target.
    """

    backbone: str
    name: str
    look: float
    patch: float
    offset: float


@dataclass(frozen=True, slots=True)
class AddedRow:
    """What an owner's own examples add to a target. row: of the logit; stages: how it becomes a probability."""

    row: int
    stages: tuple[Stage, Stage]


@dataclass(frozen=True, slots=True)
class LookOffer:
    """A target as the appliance takes it. row: of the logit. digest: of network, head and stages: what a calibration of
    the target belongs to. standard: taught by the owner, and heard where the
    settings name no target."""

    name: str
    row: int
    threshold: float
    stages: tuple[Stage, Stage]
    beside: LookBeside | None
    digest: str
    added: AddedRow | None = None
    standard: bool = False
    rise: float = 0.0
    """What each dB by which an onset rises more than a typical one adds to the logit of a look."""


@dataclass(frozen=True, slots=True)
class LookRows:
    """Rows beside the head's: labels, weights float32 `(k, E)`, bias float32 `(k,)`. Their logits are taken as they are."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
