"""A sound without length that the owner taught the look network: as it is kept, and as a target is offered for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.foreseen import Foreseen
from edge.model.look_offer import AddedRow, LookOffer, LookRows, Stage
from edge.model.manifest import bytes_sha256
from edge.model.table import Table, within

ARRAYS = ("row", "cells", "clip", "kind")


@dataclass(frozen=True, slots=True)
class TaughtLook:
    """A sound of the owner's that looks decide. row float32 `(E,)`; probability of either look = logistic(scale * logit +
    offset), by its stage.

    adds: True for a target of the look network's own, which goes on and is heard by this too. cells int8 `(m, 2, E)`, both
    looks at each onset, clip and kind uint8 `(m,)`: what the row is fitted to again, without any sound (see
    `edge.learn.look_examples.Onsets`). network, look_version: what made them. threshold: of the target, or of a target of
    the owner's own. Other fields as those of `TaughtSound`.
    """

    name: str
    adds: bool
    row: NDArray[np.float32]
    bias: float
    first: Stage
    second: Stage
    threshold: float = field(metadata=within(0.0, 1.0))
    cells: NDArray[np.int8]
    clip: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    network: str
    look_version: int
    budget_per_hour: float = field(metadata=within(0.0))
    foreseen: Foreseen
    taught_at: str
    like: tuple[str, ...] = ()
    forced: bool = False

    @property
    def label(self) -> str:
        """Of its row among the look network's."""
        return f"{self.name} (taught)" if self.adds else self.name

    def misfit(self, network: str, look_version: int, targets: Collection[str]) -> str:
        """Why a look network (digest, version of its looks, its own targets) cannot serve it; empty where it can."""
        if self.network != network:
            here = f"here {network[:12]}" if network else "here is none"
            return f"made for another look network (sha256 {self.network[:12]}, {here})"
        if self.look_version != look_version:
            return f"made for looks of version {self.look_version}, here {look_version}"
        if self.adds and self.name not in targets:
            return "made for a target of the look network that it has no more"
        return ""

    def offer(self, row: int, own: LookOffer | None) -> LookOffer:
        """The target that serves it. row: its place among the network's. own: the network's target of that name."""
        stages = self.first, self.second
        words = json.dumps([asdict(stage) for stage in stages]).encode()
        digest = bytes_sha256([(own.digest if own else self.network).encode(), self.row.tobytes(),
                               np.float32(self.bias).tobytes(), words])
        if own is None:
            return LookOffer(self.name, row, self.threshold, stages, None, digest, standard=True)
        return replace(own, digest=digest, added=AddedRow(row, stages))


def offered(own: Sequence[LookOffer], looks: Sequence[TaughtLook], labels: int) -> tuple[LookOffer, ...]:
    """The network's targets and those that were taught, in this order. labels: how many the network has of its own."""
    found = {offer.name: offer for offer in own}
    for number, look in enumerate(looks):
        mine = found.get(look.name) if look.adds else None
        if mine is not None or not look.adds:
            found[look.name] = look.offer(labels + number, mine)
    return tuple(found.values())


def rows_of(looks: Sequence[TaughtLook], columns: int) -> LookRows:
    """The taught rows as the look network takes them. columns: of an embedding."""
    rows = np.stack([look.row for look in looks]) if looks else np.zeros((0, columns), np.float32)
    return LookRows(tuple(look.label for look in looks), rows, np.array([look.bias for look in looks], np.float32))


def look_tables(looks: Sequence[TaughtLook]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What a file of what was taught holds of them: words, and arrays by name."""
    words = [{key: value for key, value in asdict(look).items() if key not in ARRAYS} for look in looks]
    return words, {f"look{number}{name}": getattr(look, name) for number, look in enumerate(looks) for name in ARRAYS}


def read_looks(tables: Sequence[Table], arrays: Any, array: Callable[..., Any]) -> tuple[TaughtLook, ...]:
    """The same, read again. array: takes name, dtype and shape, and gives the array, checked. Raises ModelError."""
    found = []
    for number, one in enumerate(tables):
        count, _, columns = arrays[f"look{number}cells"].shape
        found.append(one.read(
            TaughtLook, row=array(f"look{number}row", np.float32, (columns,)),
            cells=array(f"look{number}cells", np.int8, (count, 2, columns)),
            clip=array(f"look{number}clip", np.uint8, (count,)), kind=array(f"look{number}kind", np.uint8, (count,))))
    return tuple(found)
