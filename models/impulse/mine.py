"""Hard negatives: onsets of talk, music and the like that a network takes for hands, as further windows.

Impacts are left out. Many of them differ from a clap by nothing that a look shows: a network that is drilled on them
hears fewer claps of people it never met.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from alter import background, through_microphone
from clips import Clip, read_clip, training_clips

from edge.features.look import AFTER, EARLY, HISTORY, floor_before
from models.impulse.critic import Critic
from models.impulse.lessons import Learner, looks_of
from models.impulse.stock import BEDS, LABELS, SAMPLE_RATE, without_offset
from models.impulse.window import LEADING, ONSET, WHOLE, Look, Maker, look_at, save_looks

Floats = npt.NDArray[np.float32]
Place = tuple[int, int, Floats]
FROM = frozenset(name for classes in BEDS.values() for name in classes) - {"fire_crackling"}
HANDS = tuple(LABELS.index(label) for label in ("hand_clap", "finger_snap"))
SHARE = 0.08
"""Probability of a label of HANDS, at either look, from which an onset is hard."""
LONGEST = 60 * SAMPLE_RATE
TURNS = 3
"""Times that each clip is heard: first as it is, then otherwise altered."""


def mine(learner: Learner, critic: Critic, path: Path, seed: int) -> None:
    """Write the hard onsets of all clips of FROM."""
    rng = np.random.default_rng(seed)
    kept: list[Look] = []
    seen = 0
    for clip in (clip for clip in training_clips() if clip.label in FROM):
        for turn in range(TURNS):
            samples = _altered(rng, clip, turn)
            found = [place for place in Maker.onsets(samples) if ONSET <= place[0] <= len(samples) - WHOLE + ONSET]
            seen += len(found)
            for place in _hard(learner, found):
                cut = samples[place[0] - ONSET: place[0] - ONSET + WHOLE]
                kept.append(look_at(place, cut, LABELS.index("other"), f"mined/{clip.label}", np.nan, critic))
    print(f"{path.name}: {len(kept)} of {seen} onsets are hard")
    save_looks(path, kept)


def _altered(rng: np.random.Generator, clip: Clip, turn: int) -> Floats:
    """A minute of a clip at most, between two stretches of silence."""
    whole = without_offset(read_clip(clip))
    start = int(rng.integers(max(len(whole) - LONGEST, 0) + 1))
    quiet = np.zeros(WHOLE, np.float32)
    samples = np.concatenate((quiet, whole[start: start + LONGEST], quiet))
    if turn:
        samples = through_microphone(rng, samples)
        level = np.float32(np.sqrt(np.mean(samples**2)) * 10 ** (rng.uniform(-60.0, -20.0) / 20))
        samples = samples + background(rng, len(samples)) * level
    return Maker.level(rng, samples)


def _hard(learner: Learner, found: list[Place]) -> list[Place]:
    if not found:
        return []
    rows = np.stack([every[row - LEADING: row + AFTER] for _, row, every in found])
    floors = np.stack([floor_before(every[row - HISTORY: row]) for _, row, every in found])
    highest = np.zeros(len(rows), np.float32)
    for heard in (EARLY, AFTER):
        with torch.no_grad():
            looks = looks_of(torch.from_numpy(rows), torch.from_numpy(floors), torch.full((len(rows),), heard))
            said = torch.softmax(learner(looks)[0], 1)[:, list(HANDS)].amax(1).numpy()
        highest = np.maximum(highest, said)
    return [found[number] for number in np.flatnonzero(highest > SHARE)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = Learner()
    trained.load_state_dict(torch.load(sys.argv[1], weights_only=True)["learner"])
    mine(trained.eval(), Critic(), Path(sys.argv[2]), int(sys.argv[3]))
