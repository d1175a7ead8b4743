"""The training set: claps made and judged by the critic, then windows in parts, by as many processes as asked for."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.impulse.critic import Critic
from models.impulse.hands import LEAD, clap_by_formula, crossed, snap_by_formula
from models.impulse.stock import Stock
from models.impulse.struck import glass_by_formula
from models.impulse.window import Maker, save_looks

Floats = npt.NDArray[np.float32]
PART = 5_000
LEAST_SCORE = 0.1
"""The critic's score from which a made sound is kept. It gives recorded claps as much in 4 of 10 cases."""
PEAK = np.float32(0.6)
Made = dict[str, list[Floats]]
Way = Callable[[np.random.Generator, list[Floats]], Floats]
MADE: dict[str, tuple[int, tuple[str, ...], tuple[Way, ...]]] = {
    "hand_clap": (6_000, ("Hands", "Clapping"), (crossed, lambda rng, _: clap_by_formula(rng))),
    "finger_snap": (1_500, ("Finger snapping", "Hands"), (crossed, lambda rng, _: snap_by_formula(rng))),
    "door_knock": (1_500, ("Knock",), (crossed,)),
    "glass_break": (800, ("Shatter", "Glass", "Breaking"), (lambda rng, _: glass_by_formula(rng),)),
}
"""Of each label: how many are made, what the critic must hear in them, and by which ways in turn."""


def make_sounds(path: Path, stock: Stock, critic: Critic, seed: int) -> Made:
    """Sounds of each label that the critic takes for what they should be, MADE of them; kept in `path`."""
    if path.is_file():
        with np.load(path) as file:
            return {label: list(file[label].astype(np.float32)) for label in MADE}
    rng = np.random.default_rng(seed)
    made: Made = {}
    for label, (count, names, ways) in MADE.items():
        recorded = [sound for group in stock.singles[label].values() for sound in group]
        made[label] = []
        while len(made[label]) < count:
            sound = ways[len(made[label]) % len(ways)](rng, recorded)
            if critic.scores(critic.embedding(sound * PEAK, LEAD)[None], names).max() > LEAST_SCORE:
                made[label].append(sound)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{label: _stacked(sounds) for label, sounds in made.items()})
    return made


def _stacked(sounds: list[Floats]) -> npt.NDArray[np.float16]:
    size = max(map(len, sounds))
    return np.stack([np.pad(sound, (0, size - len(sound))) for sound in sounds]).astype(np.float16)


def make_windows(folder: Path, count: int, seed: int, processes: int,
                 recordings: Path | None = None) -> list[Path]:
    """Parts of PART windows at most, in `folder`, `count` in all; those that are there are kept."""
    parts = [(folder / f"part-{first}-{(past := min(first + PART, count))}.npz", range(seed + first, seed + past))
             for first in range(0, count, PART)]
    missing = [part for part in parts if not part[0].is_file()]
    if missing:
        stock, critic = Stock(recordings), Critic()
        make_sounds(folder / "made.npz", stock, critic, seed)
        del stock, critic
        with multiprocessing.get_context("spawn").Pool(processes, _begin, (folder, seed, recordings)) as pool:
            for path in pool.imap_unordered(_make_part, missing):
                print(path.name, flush=True)
    return [path for path, _ in parts]


_maker: list[Maker] = []


def _begin(folder: Path, seed: int, recordings: Path | None) -> None:
    stock, critic = Stock(recordings), Critic()
    _maker.append(Maker(stock, make_sounds(folder / "made.npz", stock, critic, seed), critic))


def _make_part(part: tuple[Path, range]) -> Path:
    path, seeds = part
    looks = [look for seed in seeds for look in _maker[0].looks(seed)]
    partial = path.with_suffix(".partial.npz")
    save_looks(partial, looks)
    partial.rename(path)
    return path
