"""What it brings to teach a sound without length from five of a source's sounds: how many of its others are heard in scenes.

    python models/scenes/build.py SCENES
    python -m models.impulse.onsets SCENES/onsets/choose CHOOSE.npz
    python -m models.impulse.taught SCENES/onsets/choose CHOOSE.npz > WORK/taught-choose.json

For claps, snaps and knocks of each source with enough clear single sounds: five of them, in the room of their recording, are
taught as `edge-audio teach` does, three times with others. Then the source's other sounds are looked for in the scenes, dry
and in other rooms. Ways: "own": the model as it came; "patches": a name of its own, taught to the backbone's patches;
"looks": a name of its own, taught to looks; "added": added to the model's own target. Each onset is judged by its looks and
by the patches that hold it; what the listener then does with two targets at one onset is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.control.loading import find_model, impulse_folder, load_model
from edge.decision.calibration import logit_of
from edge.learn.embedding import Embedder
from edge.learn.look_bank import load_look_bank
from edge.learn.look_examples import LookEmbedder
from edge.learn.look_teach import learn_from_onsets, look_negatives
from edge.learn.teach import Recording, gather, learn, negatives_for
from edge.model.classifier import Split
from edge.model.head import against_the_others
from edge.model.look_offer import LookOffer
from edge.model.taught import Taught
from edge.workshop.rows import rounded
from models.impulse.taught_scenes import Heard, hear, recordings_of

Powers = npt.NDArray[np.float64]
TARGETS = ("hand_clap", "finger_snap", "door_knock")
COUNT, TURNS = 5, 3
BUDGET = 2.0
SEED = 7
WAYS = ("own", "patches", "looks", "added")
RATIOS = ("quiet", "30 dB", "20 dB", "10 dB")


def main() -> None:
    """Arguments in, JSON out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="scenes: onsets/choose or onsets/report")
    parser.add_argument("onsets", type=Path, help="their onsets, an .npz of onsets.py")
    parser.add_argument("--model", default="starter", help="whose patches are heard")
    options = parser.parse_args()
    half = options.folder.name
    with tempfile.TemporaryDirectory() as state:
        school = School(options.model, Path(state))
        heard = hear(options.folder, options.onsets, school.network, school.model)
        found = {label: _by_source(school, heard, half, label) for label in TARGETS}
    json.dump({"half": half, "model": options.model, "taught_from": COUNT, "targets": found}, sys.stdout, indent=1)
    print()


class School:
    """A model that was taught nothing, and what teaching needs."""

    def __init__(self, name: str, state: Path) -> None:
        """state: an empty folder."""
        model = load_model(name, state_dir=state)
        assert isinstance(model, Split) and model.looks is not None
        self.model, self.network, self.state = model, model.looks, state
        self.named = find_model(name, state)
        self.bank = load_look_bank(impulse_folder(), self.network.manifest)
        self.own = {offer.name: offer for offer in self.named.offers}
        self.spec = self.network.manifest.network.output

    def powers(self, heard: Heard, label: str, recordings: list[Recording]) -> Iterator[tuple[str, Powers]]:
        """Each way with how far each onset is over its threshold, float64 (n,): from 0 up it is the sound."""
        own = self._own(heard, self.own[label])
        yield "own", own
        yield "patches", self._by_patches(heard, recordings)
        yield "looks", self._by_looks(heard, "its_own", recordings, None)
        yield "added", np.maximum(own, self._by_looks(heard, label, recordings, self.own[label]))

    def _own(self, heard: Heard, offer: LookOffer) -> Powers:
        logits = np.array([[against_the_others(self.network.head.logits(one))[offer.row] for one in both]
                           for both in heard.looks], np.float64)
        powers = _surest(logits, offer.stages)
        if offer.beside is not None:
            rows = [self.model.labels.index(each) for target in self.model.targets if target.name == offer.name
                    for each in target.labels]
            head = self.model.head
            said = (heard.patches @ head.weights[rows].T + head.bias[rows]).max(axis=1)
            patch = heard.highest(said, heard.asked)
            powers = np.maximum(powers, offer.beside.look * logits[:, 1] + offer.beside.patch * patch + offer.beside.offset)
        return powers - logit_of(offer.threshold)

    def _by_patches(self, heard: Heard, recordings: list[Recording]) -> Powers:
        embedder, manifest = Embedder(self.model), self.named.manifest
        nothing = Taught.nothing(manifest)
        negatives = negatives_for(embedder, self.named.folder, manifest, self.state, nothing, name="its_own")
        sound, _ = learn(embedder, "its_own", gather(embedder, recordings), negatives, alarms_per_hour=BUDGET,
                         impulsive=True, taught_at="")
        said = heard.highest(heard.patches @ sound.row + np.float32(sound.bias), heard.holds).astype(np.float64)
        return sound.scale * said + sound.offset - logit_of(sound.threshold)

    def _by_looks(self, heard: Heard, name: str, recordings: list[Recording], own: LookOffer | None) -> Powers:
        onsets = LookEmbedder(self.network, self.spec).gather(recordings)
        negatives = look_negatives(self.bank, (), self.spec, name=name, adds=own is not None)
        look, _ = learn_from_onsets(name, onsets, negatives, self.spec, own=own, network=self.network.sha256,
                                    look_version=1, alarms_per_hour=BUDGET, taught_at="")
        logits = (heard.looks @ look.row + np.float32(look.bias)).astype(np.float64)
        return _surest(logits, (look.first, look.second)) - logit_of(look.threshold)


def _surest(logits: Powers, stages: Any) -> Powers:
    found: Powers = np.max([one.scale * logits[:, stage] + one.offset for stage, one in enumerate(stages)], axis=0)
    return found


def _by_source(school: School, heard: Heard, half: str, label: str) -> dict[str, Any]:
    """Counts of each way, in all and by source."""
    counted: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for source, pieces in sorted(recordings_of(half, label).items()):
        for taught in _turns(sorted(pieces)):
            for way, powers in school.powers(heard, label, [pieces[name] for name in taught]):
                one = count(heard.arrays, heard.piece, powers >= 0.0, label, source, taught)
                counted[way][source].append(one)
    return {way: {"all": _sum([one for own in sources.values() for one in own]),
                  "sources": {source: _sum(own) for source, own in sources.items()}} for way, sources in counted.items()}


def _turns(pieces: list[str]) -> Iterator[list[str]]:
    """COUNT of the pieces, others each time; none where too few are left to look for."""
    order = [pieces[number] for number in np.random.default_rng(SEED).permutation(len(pieces))]
    for turn in range(min(TURNS, max((len(order) - 1) // COUNT, 0))):
        yield order[turn * COUNT: (turn + 1) * COUNT]


def count(arrays: dict[str, npt.NDArray[Any]], piece: npt.NDArray[np.str_], over: npt.NDArray[np.bool_], label: str,
          source: str, taught: list[str]) -> dict[str, Any]:
    """How many of a source's other sounds have an onset that is `over`, by ratio; false alarms; other sounds taken.

    arrays: of onsets.py. over: bool `(onsets,)`.
    """
    own = arrays["placed_onset"]
    found = np.where(own >= 0, over[np.maximum(own, 0)], False)
    mine = (arrays["placed_label"] == label) & (arrays["placed_sounds"] == label) & (arrays["placed_source"] == source)
    mine &= ~np.isin(piece, taught)
    hard = (arrays["placed_sounds"] == "hard") & (arrays["placed_label"] != label)
    ratio = arrays["placed_ratio"].astype(np.float64)
    at = {name: np.isnan(ratio) if name == "quiet" else ratio == float(name.split()[0]) for name in RATIOS}
    false = over & (arrays["label"] == "") & (arrays["inside"] != label) & ~arrays["echo"]
    return {"recall": {name: [int(found[mine & here].sum()), int((mine & here).sum())] for name, here in at.items()},
            "alarms": int(false.sum()), "hours": float(arrays["hours"]), "hard": [int(found[hard].sum()), int(hard.sum())]}


def _sum(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Several counts as one, with shares and false alarms an hour."""
    def share(pairs: list[list[int]]) -> dict[str, Any]:
        hits, trials = (sum(pair[place] for pair in pairs) for place in (0, 1))
        return rounded({"count": hits, "of": trials, "share": hits / trials if trials else float("nan")})

    hours = sum(one["hours"] for one in counts)
    return {"lessons": len(counts), "recall": {name: share([one["recall"][name] for one in counts]) for name in RATIOS},
            "alarms_per_hour": round(sum(one["alarms"] for one in counts) / hours, 2),
            "hard": share([one["hard"] for one in counts])}


if __name__ == "__main__":
    main()
