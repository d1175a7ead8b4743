"""What the look network offers to name, as targets are resolved from it."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """How the logit of one of the two looks becomes a probability: logistic(scale * logit + offset), Platt (1999)."""

    @property
    def scale(self) -> float:
        """Over 0."""

    @property
    def offset(self) -> float:
        """In logits."""


class Beside(Protocol):
    """How a look and a patch that holds its onset are judged together, with one backbone.

    The probability is logistic(look * the look's logit + patch * the patch's logit + offset).
    """

    @property
    def look(self) -> float:
        """Weight of the look's logit."""

    @property
    def patch(self) -> float:
        """Weight of the patch's."""

    @property
    def offset(self) -> float:
        """In logits."""


class Added(Protocol):
    """What an owner's own examples add to a target: its probability is the higher one of its own and of this."""

    @property
    def row(self) -> int:
        """Among the look network's."""

    @property
    def stages(self) -> tuple[Stage, Stage]:
        """The first look's, the second look's."""


class Offer(Protocol):
    """A sound without length that the look network offers to name, whatever the model is."""

    @property
    def name(self) -> str:
        """Name of the target, and of the network's label."""

    @property
    def row(self) -> int:
        """The label's place among the network's."""

    @property
    def threshold(self) -> float:
        """Probability that starts an event, for both looks."""

    @property
    def stages(self) -> tuple[Stage, Stage]:
        """The first look's, the second look's."""

    @property
    def rise(self) -> float:
        """What each dB by which an onset rises more than a typical one adds to the logit of a look."""

    @property
    def beside(self) -> Beside | None:
        """With the backbone that serves; None: its patches were not fitted, and looks decide alone."""

    @property
    def digest(self) -> str:
        """Of the network and the stages: what a calibration of the target belongs to."""

    @property
    def added(self) -> Added | None:
        """What the owner's examples add to it, by looks alone; None: nothing."""

    @property
    def standard(self) -> bool:
        """Taught by the owner: heard where the settings name no target, and before the network's own."""
