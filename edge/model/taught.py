"""What the owner taught a model: sounds of their own, judgements of events, and the rows that both gave. One value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.foreseen import Foreseen
from edge.model.head import Head
from edge.model.manifest import Manifest, ModelTarget
from edge.model.table import within
from edge.model.taught_look import TaughtLook

Cells = NDArray[np.int8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TaughtSound:
    """A sound of the owner's. row float32 `(E,)`; probability = logistic(scale * logit + offset).

    cells int8 `(m, E)`, clip and kind uint8 `(m,)`: what the row is fitted to again, without any sound (see
    `edge.learn.lesson.Examples`). like: classes of the bank that are the sound too; forced: taught against advice.
    taught_at: UTC, RFC 3339.
    """

    name: str
    row: Floats
    bias: float
    scale: float = field(metadata=within(1e-6))
    offset: float
    threshold: float = field(metadata=within(0.0, 1.0))
    release_threshold: float = field(metadata=within(0.0, 1.0))
    impulsive: bool
    cells: Cells
    clip: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    budget_per_hour: float = field(metadata=within(0.0))
    foreseen: Foreseen
    taught_at: str
    like: tuple[str, ...] = ()
    forced: bool = False

    @property
    def scale_below(self) -> float:
        """The slope below logit 0, equal to `scale`: the curve of a taught sound is a straight line in logits."""
        return self.scale

    @property
    def target(self) -> ModelTarget:
        """The target that the model offers for this sound; heard where the settings name no target."""
        return ModelTarget(self.name, (self.name,), self.threshold, self.release_threshold, impulsive=self.impulsive)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the owner said of one event. cells int8 `(E,)`: the embedding at the event's peak.

    beside: embeddings of two more of its patches or looks at most. labels: those that `target` had then; a judgement
    counts only where the target still has them. network: digest of the look network that made the embeddings; "": the
    backbone did. bare: of looks of the target's own event, `Scores.bare` of each, the peak's first; else empty.
    """

    event: str
    target: str
    right: bool
    cells: Cells
    judged_at: str
    beside: tuple[Cells, ...] = ()
    labels: tuple[str, ...] = ()
    network: str = ""
    bare: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TaughtCorrection:
    """Rows beside one of the model's own targets: float32 `(1 + vetoes, E)` and `(1 + vetoes,)`, the
    support's first.

    labels: those that the target had when the rows were fitted, in any order. The rows mean nothing for a
    target of other labels. network: digest of the look network whose embeddings the rows take; "": a patch's.
    """

    weights: Floats
    bias: Floats
    labels: tuple[str, ...] = ()
    network: str = ""


@dataclass(frozen=True, slots=True)
class Taught:
    """All that was taught a backbone. change: what the newest step was, for `--undo`."""

    model: str
    backbone_sha256: str
    front_end: int
    columns: int
    sounds: tuple[TaughtSound, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    corrections: dict[str, TaughtCorrection] = field(default_factory=dict)
    look_corrections: dict[str, TaughtCorrection] = field(default_factory=dict)
    """Of targets that looks decide."""
    looks: tuple[TaughtLook, ...] = ()
    change: str = ""

    @classmethod
    def nothing(cls, manifest: Manifest) -> Taught:
        """For a model that was taught nothing. Raises ModelError for a whole model, which has no head to add to."""
        if manifest.backbone is None or manifest.front_end is None:
            raise ModelError(f"model {manifest.name}", found="a whole one, which cannot be taught",
                             wanted="a split one, as the starter and YAMNet are")
        return cls(manifest.name, manifest.backbone.sha256, manifest.front_end.version, manifest.backbone.output.size)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all sounds."""
        return (*(sound.name for sound in self.sounds), *(look.name for look in self.looks))

    def sound(self, name: str) -> TaughtSound | None:
        """The sound of this name, if it was taught."""
        return next((sound for sound in self.sounds if sound.name == name), None)

    def look(self, name: str) -> TaughtLook | None:
        """The sound of this name, if looks were taught it."""
        return next((look for look in self.looks if look.name == name), None)

    def with_sound(self, sound: TaughtSound | TaughtLook, change: str) -> Taught:
        """The same with a sound put in, in its old place if it had one, and in place of one of the other kind."""
        name = sound.name
        if isinstance(sound, TaughtLook):
            kept = tuple(each for each in self.sounds if each.name != name)
            return replace(self, sounds=kept, looks=_placed(self.looks, sound), change=change)
        looks = tuple(each for each in self.looks if each.name != name)
        return replace(self, sounds=_placed(self.sounds, sound), looks=looks, change=change)

    def without(self, name: str, change: str) -> Taught:
        """The same without a sound, and without what was said of the events of that name."""
        return replace(self, sounds=tuple(sound for sound in self.sounds if sound.name != name),
                       looks=tuple(look for look in self.looks if look.name != name),
                       judgements=tuple(one for one in self.judgements if one.target != name),
                       corrections={target: one for target, one in self.corrections.items() if target != name},
                       look_corrections={target: one for target, one in self.look_corrections.items() if target != name},
                       change=change)

    def labelled(self, manifest: Manifest) -> Taught:
        """The same, with labels for what was said before labels were kept with it.

        Such feedback is taken to be for the labels that the model itself gives a target of that name, else
        for the label or taught sound of that name. Feedback on a target to which the settings gave other
        labels is then left unused, and said: silence where an owner wants to hear is worse than a false alarm
        that comes back.
        """
        own = {target.name: target.labels for target in manifest.targets}
        return replace(
            self,
            judgements=tuple(one if one.labels else replace(one, labels=own.get(one.target, (one.target,)))
                             for one in self.judgements),
            corrections={target: one if one.labels else replace(one, labels=own.get(target, (target,)))
                         for target, one in self.corrections.items()})

    def misfit(self, manifest: Manifest) -> str:
        """Why none of this belongs to the model of `manifest`; empty where it does."""
        if manifest.backbone is None or manifest.front_end is None:
            return "made for a model with a backbone, which this one has not"
        if self.backbone_sha256 != manifest.backbone.sha256:
            return f"made for another backbone (sha256 {self.backbone_sha256[:12]}, here {manifest.backbone.sha256[:12]})"
        if self.front_end != manifest.front_end.version:
            return f"made with front end {self.front_end}, here {manifest.front_end.version}"
        return ""

    def clashes(self, manifest: Manifest) -> list[str]:
        """Names of sounds that are labels of the model's own too."""
        return [sound.name for sound in self.sounds if sound.name in manifest.labels]

    def check(self, manifest: Manifest) -> None:
        """See that this was taught to the model of `manifest`, and that no name is one of its labels. Raises ModelError."""
        if misfit := self.misfit(manifest):
            raise ModelError(f"what {manifest.name} was taught", found=f"rows {misfit}",
                             wanted=f"rows of this model ({_afresh(manifest.name)})")
        for name in self.clashes(manifest):
            raise ModelError(f"taught sound {name}", found="a label of the model too",
                             wanted=f"another name ({_remove(name, manifest.name)})")

    def fitting(self, manifest: Manifest) -> tuple[Taught | None, tuple[str, ...]]:
        """What of this the model of `manifest` can serve, and a line for what it cannot, with the command
        that mends it.

        None where the model can serve nothing of it: the model has changed since. Nothing is raised.
        """
        corrected = dict.fromkeys((*self.corrections, *self.look_corrections))
        if not (self.sounds or self.looks or corrected or self.judgements):
            return None, ()
        if misfit := self.misfit(manifest):
            lessons = [*self.names, *(f"feedback on {target}" for target in corrected)]
            what = f" ({', '.join(lessons)})" if lessons else ""
            return None, (f"what {manifest.name} was taught{what}: {misfit}; not used ({_afresh(manifest.name)})",)
        clashes = self.clashes(manifest)
        kept = replace(self.labelled(manifest), sounds=tuple(sound for sound in self.sounds if sound.name not in clashes))
        return kept, tuple(f"taught sound {name}: a label of the model too; the model's own is heard "
                           f"({_remove(name, manifest.name)})" for name in clashes)

    def fitting_looks(self, network: str, look_version: int, targets: Collection[str]) -> tuple[Taught, tuple[str, ...]]:
        """The same without the looks that this look network cannot serve, and a line for each, with what mends it.

        network: digest of the look network, "" where there is none; look_version: of its looks; targets: its own.
        """
        misfits = {look.name: look.misfit(network, look_version, targets) for look in self.looks}
        kept = tuple(look for look in self.looks if not misfits[look.name])
        return replace(self, looks=kept), tuple(
            f"taught sound {name}: {misfit}; not used (teach it again, or {_remove(name, self.model)})"
            for name, misfit in misfits.items() if misfit)

    def extend(self, manifest: Manifest) -> Manifest:
        """The model's manifest with the taught sounds as labels and targets, behind its own; head.rows stays the file's."""
        targets = {target.name: target for target in manifest.targets}
        targets |= {sound.name: sound.target for sound in self.sounds}
        return replace(manifest, labels=(*manifest.labels, *(sound.name for sound in self.sounds)),
                       targets=tuple(targets.values()))

    def extend_head(self, head: Head) -> Head:
        """The model's head, all of its rows, with the taught rows behind them."""
        if not self.sounds:
            return head
        return Head(np.concatenate((head.weights, np.stack([sound.row for sound in self.sounds]))),
                    np.concatenate((head.bias, np.array([sound.bias for sound in self.sounds], np.float32))))


T = TypeVar("T", TaughtSound, TaughtLook)


def _placed(known: tuple[T, ...], new: T) -> tuple[T, ...]:
    """The same with one put in the place of that of its name, or behind all."""
    found = {each.name: each for each in known} | {new.name: new}
    return tuple(found.values())


def _afresh(model: str) -> str:
    return f"edge-audio teach --start-afresh --model {model} sets it aside; then teach and judge again"


def _remove(sound: str, model: str) -> str:
    return f"edge-audio teach --remove {sound} --model {model}"
