"""One scene: sounds at known times over a background, drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cut import RATE
from stock import LASTING, OTHERS, Piece, Stock, samples_of

SECONDS = 60.0
EDGES_SECONDS = (1.5, 58.0)
LASTING_FADE = 0.02
LOUDEST = 0.9  # of full scale: a scene that would come over it is made quieter as a whole


@dataclass(frozen=True)
class Kind:
    """What a scene is to be. ratio_db: each sound over the background; None: a quiet one, each sound at its own level."""

    name: str
    background: str
    ratio_db: float | None
    overlapping: bool


@dataclass(frozen=True)
class Placed:
    """A sound in a scene: true onset and offset in samples, what it is, where it comes from."""

    onset: int
    offset: int
    label: str
    path: str
    source_onset: int
    gain_db: float


@dataclass(frozen=True)
class Scene:
    """samples: int16 (n,) at 16 kHz. placed: in the order of their onsets. behind: the background's clips."""

    samples: npt.NDArray[np.int16]
    placed: tuple[Placed, ...]
    behind: tuple[str, ...]


class _Maker:
    """Puts sounds into one scene."""

    def __init__(self, stock: Stock, kind: Kind, rng: np.random.Generator) -> None:
        self._stock, self._kind, self._rng = stock, kind, rng
        self._sound = np.zeros(round(SECONDS * RATE), np.float64)
        self._used: frozenset[str] = frozenset()
        self.placed: list[Placed] = []
        # Levels of rooms as microphones give them; what counts is the ratio.
        self._background_rms = 10 ** (rng.uniform(-50.0, -40.0) / 20) if kind.ratio_db is not None else 10 ** (-62.0 / 20)

    def draw(self, label: str) -> Piece:
        """A piece of a clip that the scene does not hold yet."""
        piece = self._stock.draw(self._rng, label, self._used)
        self._used |= {piece.path}
        return piece

    def single(self, piece: Piece, at: int, *, weaker_db: float = 0.0) -> int:
        """Place one piece with its onset at a sample; returns the sample after its offset."""
        samples, gain = self._scaled(piece, weaker_db)
        self._add(samples, at - (piece.cut.onset - piece.cut.start))
        self.placed.append(Placed(at, at + piece.sound_samples, piece.label, piece.path, piece.cut.onset, gain))
        return at + piece.sound_samples

    def rhythm(self, label: str, at: int, gaps: list[int]) -> int:
        """Single sounds of one recording at these distances; no louder than the first, at most 3 dB weaker."""
        piece = self.draw(label)
        end = self.single(piece, at)
        for gap in gaps:
            at += gap
            piece = self._stock.another(self._rng, piece)
            end = self.single(piece, at, weaker_db=float(self._rng.uniform(0.0, 3.0)))
        return end

    def lasting(self, label: str, at: int) -> int:
        """A lasting sound, with a pause of 0.1 to 0.25 s somewhere in its middle (rain goes on)."""
        piece = self.draw(label)
        samples, gain = self._scaled(piece, 0.0)
        lead = piece.cut.onset - piece.cut.start
        pause = 0 if label == "rain" else round(self._rng.uniform(0.1, 0.25) * RATE)
        if pause:
            fade = round(LASTING_FADE * RATE)
            ramp = np.linspace(1.0, 0.0, fade)
            split = lead + round(self._rng.uniform(0.35, 0.65) * piece.sound_samples)
            first, second = samples[:split].copy(), samples[split:].copy()
            first[-fade:] *= ramp
            second[:fade] *= ramp[::-1][: len(second)]
            samples = np.concatenate([first, np.zeros(pause), second])
        self._add(samples, at - lead)
        offset = at + piece.sound_samples + pause
        self.placed.append(Placed(at, offset, label, piece.path, piece.cut.onset, gain))
        return offset

    def finish(self) -> Scene:
        """Mix with the background."""
        behind, paths = self._stock.background(self._rng, self._kind.background, len(self._sound), self._used)
        mixed = self._sound + self._background_rms * behind
        mixed *= min(1.0, LOUDEST / float(np.abs(mixed).max()))
        samples = np.clip(np.rint(mixed * 32767.0), -32768, 32767).astype(np.int16)
        if self._kind.background in ("speech", "music"):
            label = f"behind_{self._kind.background}"
            self.placed.append(Placed(0, len(samples), label, ";".join(dict.fromkeys(paths)), 0, 0.0))
        placed = tuple(sorted(self.placed, key=lambda each: (each.onset, each.label)))
        return Scene(samples, placed, tuple(dict.fromkeys(paths)))

    def _scaled(self, piece: Piece, weaker_db: float) -> tuple[npt.NDArray[np.float64], float]:
        """The piece at its level, and its gain in dB. The level is the RMS from onset to offset."""
        samples = samples_of(piece).astype(np.float64)
        lead = piece.cut.onset - piece.cut.start
        rms = float(np.sqrt(np.mean(samples[lead : lead + piece.sound_samples] ** 2)))
        if self._kind.ratio_db is None:  # quiet: claps near and far, -30 to -12 dBFS while they last
            wanted = 10 ** (self._rng.uniform(-30.0, -12.0) / 20)
        else:
            wanted = self._background_rms * 10 ** (self._kind.ratio_db / 20)
        gain = wanted / max(rms, 1e-9) * 10 ** (-weaker_db / 20)
        return samples * gain, round(float(20 * np.log10(gain)), 2)

    def _add(self, samples: npt.NDArray[np.float64], start: int) -> None:
        self._sound[start : start + len(samples)] += samples[: len(self._sound) - start]


def pair_gap(rng: np.random.Generator) -> int:
    """From one clap of a pair to the next, in samples: 150 to 800 ms."""
    return round(rng.uniform(0.15, 0.8) * RATE)


def impulsive(maker: _Maker, rng: np.random.Generator, what: str, at: int) -> int:
    """Place claps, a pair of them, snaps or knocks; returns the sample after the last offset."""
    if what == "pair":
        return maker.rhythm("hand_clap", at, [pair_gap(rng)])
    if what == "clap":
        return maker.rhythm("hand_clap", at, [])
    if what == "snap":
        return maker.rhythm("finger_snap", at, [])
    return maker.rhythm("door_knock", at, [round(rng.uniform(0.18, 0.45) * RATE) for _ in range(int(rng.integers(1, 4)))])


def truth_scene(stock: Stock, rng: np.random.Generator) -> Scene:
    """Claps, pairs, knocks and a snap on a quiet background, 1.2 to 3 s apart, nothing else."""
    maker = _Maker(stock, Kind("truth", "ambience", None, False), rng)
    at = round(EDGES_SECONDS[0] * RATE)
    order = ["snap", *["clap"] * 6, *["pair"] * 6, *["knock"] * 5]
    for number in rng.permutation(len(order)):
        end = impulsive(maker, rng, order[number], at)
        at = end + round(rng.uniform(1.2, 3.0) * RATE)
        if at > (EDGES_SECONDS[1] - 2.0) * RATE:
            break
    return maker.finish()


def room_scene(stock: Stock, kind: Kind, rng: np.random.Generator) -> Scene:
    """Claps, pairs, snaps, knocks, lasting sounds and others; one after another, or impulsive ones over lasting ones."""
    maker = _Maker(stock, kind, rng)
    lasting = ["keyboard_typing", "alarm_beep", "rain", "neg_speech", "siren", "snoring"]
    short = ["pair", "pair", "clap", "clap", "knock", "snap"]
    others = [OTHERS[number] for number in rng.permutation(len(OTHERS))[:4]]
    if kind.overlapping:
        _one_after_another(maker, rng, [*lasting, *lasting[:3], *others], (0.5, 1.5))
        _one_after_another(maker, rng, [*short, *short, "pair", "clap"], (1.2, 4.0))
    else:
        last = lasting[4 + int(rng.integers(2))]
        _one_after_another(maker, rng, [*lasting[:4], last, *short, *short[:4], *others], (1.0, 2.0))
    return maker.finish()


def _one_after_another(maker: _Maker, rng: np.random.Generator, order: list[str], pauses: tuple[float, float]) -> None:
    at = round((EDGES_SECONDS[0] + rng.uniform(0.0, 1.0)) * RATE)
    for number in rng.permutation(len(order)):
        what = order[number]
        if at > (EDGES_SECONDS[1] - 7.5 if what in LASTING else EDGES_SECONDS[1] - 4.0) * RATE:
            continue
        if what in LASTING:
            end = maker.lasting(what, at)
        elif what in OTHERS:
            end = maker.single(maker.draw(what), at)
        else:
            end = impulsive(maker, rng, what, at)
        at = end + round(rng.uniform(*pauses) * RATE)
