"""ESC-10's 400 recordings as embeddings: the patches that the appliance hears, the stretches that `teach` learns from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent / "starter"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from clips import ESC10_SOURCE, Clip, all_clips, esc10_fold, read_clip

from edge.learn.embedding import Embedder
from edge.learn.examples import HEARD_HOP, cut, find_sounds, levels
from edge.learn.lesson import ALTERED, HEARD, PLACED
from edge.learn.teach import SEED
from edge.stream import FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES
from edge.workshop.progress import bar

PATCH = 4
"""A kind of embedding beside those of `edge.learn.lesson`: a patch of the whole recording, one each HEARD_HOP."""
FOLDS = (1, 2, 3, 4, 5)

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Corpus:
    """Embeddings of recordings, and what is known of each.

    Of each recording `(n,)`: path; label, int; fold, 1 to 5; group, the Freesound number of what it was cut from. Of each
    embedding `(m,)`: cells int8 `(m, e)`; clip, the number of its recording; kind; below_db float32, how far its loudest
    frame is under the recording's loudest; silent float32, the share of its samples that are padding or digital silence.
    """

    path: npt.NDArray[np.str_]
    label: Numbers
    fold: Numbers
    group: npt.NDArray[np.str_]
    names: tuple[str, ...]
    cells: npt.NDArray[np.int8]
    clip: Numbers
    kind: Numbers
    below_db: Floats
    silent: Floats
    scale: float
    zero_point: int

    def embeddings(self, chosen: npt.NDArray[np.bool_]) -> Floats:
        """float32 (k, e) of the embeddings that bool (m,) chooses."""
        return (self.cells[chosen].astype(np.float32) - self.zero_point) * np.float32(self.scale)

    def only(self, folds: Sequence[int]) -> Corpus:
        """The recordings of these folds and their embeddings, renumbered; nothing of the others is in it."""
        kept = np.isin(self.fold, folds)
        number = np.cumsum(kept) - 1
        mine = kept[self.clip]
        return replace(
            self,
            **{name: getattr(self, name)[kept] for name in ("path", "label", "fold", "group")},
            **{name: getattr(self, name)[mine] for name in ("cells", "kind", "below_db", "silent")},
            clip=number[self.clip[mine]],
        )


def esc10_clips() -> list[Clip]:
    """The 400, by fold and path. Two of them lie in split `eval` of the recordings' manifest."""
    clips = [clip for clip in all_clips() if clip.source == ESC10_SOURCE]
    return sorted(clips, key=lambda clip: (esc10_fold(clip), clip.path))


def pcm(clip: Clip) -> Samples:
    """int16 (n,) at 16 kHz."""
    return np.clip(np.rint(read_clip(clip) * 32768.0), -32768, 32767).astype(np.int16)


def patch_starts(length: int) -> range:
    """Where patches start, one each 0.24 s; the last reaches past the end, into padding, unless the length just fits."""
    return range(0, -(-max(length - PATCH_SAMPLES, 0) // HEARD_HOP) * HEARD_HOP + 1, HEARD_HOP)


def looped(samples: Samples) -> Samples:
    """A recording over and over, to just where its last patch ends: no patch of it is padded."""
    return np.resize(samples, patch_starts(len(samples))[-1] + PATCH_SAMPLES)


def gather(embedder: Embedder, clips: Sequence[Clip], *, patches_only: bool = False, loop: bool = False) -> Corpus:
    """Embed patches and, unless `patches_only`, what `teach` makes of recordings. loop: pad with the sound itself."""
    names = tuple(sorted({clip.label for clip in clips}))
    cells, clip_of, kinds, below, silent = [], [], [], [], []
    with bar("esc10", "recordings") as progress:
        for number, clip in enumerate(clips):
            samples = looped(pcm(clip)) if loop else pcm(clip)
            made = patches_of(samples)
            if not patches_only:
                made += taught_from(clip.path, samples, number)
            peak = peak_db(samples)
            for kind, stretch in made:
                kinds.append(kind)
                below.append(peak - peak_db(stretch))
                silent.append(silent_share(stretch))
            cells.append(embedder.cells([stretch for _, stretch in made]))
            clip_of += [number] * len(made)
            progress(number + 1, len(clips))
    return Corpus(
        np.array([clip.path for clip in clips]),
        np.array([names.index(clip.label) for clip in clips]),
        np.array([esc10_fold(clip) for clip in clips]),
        np.array([clip.group for clip in clips]),
        names,
        np.concatenate(cells),
        np.array(clip_of),
        np.array(kinds),
        np.array(below, np.float32),
        np.array(silent, np.float32),
        float(embedder.spec.scale),
        int(embedder.spec.zero_point),
    )


def patches_of(samples: Samples) -> list[tuple[int, Samples]]:
    """(PATCH, int16 (15600,)) of each patch, the tail padded with silence."""
    starts = patch_starts(len(samples))
    padded = np.zeros(starts[-1] + PATCH_SAMPLES, np.int16)
    padded[: len(samples)] = samples
    return [(PATCH, padded[start : start + PATCH_SAMPLES]) for start in starts]


def taught_from(path: str, samples: Samples, number: int) -> list[tuple[int, Samples]]:
    """(kind, int16 (15600,)) of each stretch that `teach` takes of a recording. Raises ValueError for a silent one."""
    found = find_sounds(samples)
    if found is None:
        raise ValueError(f"{path}: found silence, wanted a recording that holds the sound")
    made = cut(samples, found, np.random.default_rng([SEED, number]))
    kinds = ((HEARD, made.heard), (PLACED, made.placed), (ALTERED, made.altered))
    return [(kind, stretch) for kind, stretches in kinds for stretch in stretches]


def peak_db(samples: Samples) -> float:
    """dB of the loudest 10 ms frame of int16 (n,)."""
    return float(levels(np.resize(samples, max(len(samples), PATCH_FRAMES * FRAME_STEP))).max())


def silent_share(samples: Samples) -> float:
    """Share of int16 (n,) that lies in runs of at least 10 ms of zeros: padding, or silence made by a program."""
    zero = np.concatenate(([False], samples == 0, [False]))
    edges = np.flatnonzero(np.diff(zero.astype(np.int8))).reshape(-1, 2)
    runs = edges[:, 1] - edges[:, 0]
    return float(runs[runs >= FRAME_STEP].sum() / len(samples))


def kept_corpus(path: Path | None, backbone_sha256: str, embedder: Embedder, clips: Sequence[Clip]) -> Corpus:
    """The corpus of a file, where it was made with this backbone; else it is made, and kept there (None: nowhere)."""
    digests = np.array([backbone_sha256, *(clip.sha256 for clip in clips)])
    if path is not None and path.is_file():
        with np.load(path, allow_pickle=False) as held:
            given = {name: held[name] for name in held.files}
        if np.array_equal(given.pop("digests"), digests):
            given |= {"names": tuple(map(str, given["names"])), "scale": float(given["scale"])}
            return Corpus(**{**given, "zero_point": int(given["zero_point"])})
    made = gather(embedder, clips)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, digests=digests, **{field.name: np.array(getattr(made, field.name)) for field in fields(Corpus)})
    return made
