"""Teach a sound without length to the look network, which decides it at its onsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.control.loading import find_model, impulse_folder
from edge.decision.calibration import TYPICAL_RISE_DB, heard_in_look
from edge.decision.targets import Target
from edge.learn.lesson import HEARD
from edge.learn.look_bank import LookBank, load_look_bank
from edge.learn.look_examples import LookEmbedder, Onsets
from edge.learn.look_lesson import LookLesson
from edge.learn.look_teach import learn_from_onsets, look_negatives
from edge.learn.teach import Recording
from edge.model.classifier import Model
from edge.model.impulse import LookNetwork
from edge.model.look_offer import LookOffer
from edge.model.taught_look import TaughtLook
from edge.workshop.lessons import Lessons


@dataclass(frozen=True, slots=True)
class LookSchool:
    """The look network that a sound is taught to, and what it is taught against. own: its targets, as it came."""

    network: LookNetwork
    bank: LookBank
    own: tuple[LookOffer, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the network's own targets."""
        return tuple(offer.name for offer in self.own)

    def onsets(self, recordings: Sequence[Recording]) -> Onsets:
        """What the network makes of recordings."""
        return LookEmbedder(self.network, self.network.manifest.network.output).gather(recordings)

    def learn(self, lessons: Lessons, name: str, onsets: Onsets, *, alarms_per_hour: float, taught_at: str,
              like: Sequence[str], forced: bool) -> tuple[TaughtLook, LookLesson] | None:
        """The sound as it will be kept, and how it came out; None where no recording has an onset."""
        if not len(onsets.cells):
            return None
        spec, own = self.network.manifest.network.output, next((one for one in self.own if one.name == name), None)
        negatives = look_negatives(self.bank, lessons.taught.looks, spec, name=name, adds=own is not None, like=like)
        return learn_from_onsets(name, onsets, negatives, spec, own=own, network=self.network.sha256,
                                 look_version=self.network.manifest.look_version, alarms_per_hour=alarms_per_hour,
                                 taught_at=taught_at, like=like, forced=forced)

    def heard(self, target: Target, onsets: Onsets) -> int:
        """How many of the recordings a target hears by looks, as the network came."""
        bare, heard = replace(target, added=None), onsets.kind == HEARD
        embeddings = self.network.manifest.network.output.to_real(onsets.cells[heard])
        rises = np.full(len(embeddings), TYPICAL_RISE_DB) if onsets.rise_db is None else onsets.rise_db[heard]
        sure = [any(heard_in_look(bare, self.network.labels, stage, self.network.say(one, 0), float(rise)).probability
                    >= target.threshold for stage, one in enumerate(both))
                for both, rise in zip(embeddings, rises, strict=True)]
        return len(np.unique(onsets.clip[heard][np.array(sure, np.bool_)]))


def look_school(lessons: Lessons, model: Model) -> LookSchool | None:
    """What a sound is taught to look at with; None without a look network or its bank. model: the lessons', opened.

    Raises ModelError where the bank is not what the network's manifest says.
    """
    named = find_model(lessons.name, lessons.state_dir)
    if model.looks is None or named.looks is None or named.looks.bank is None:
        return None
    return LookSchool(model.looks, load_look_bank(impulse_folder(), named.looks), named.looks.offers(named.backbone))
