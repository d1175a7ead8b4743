"""What the rows are fitted on: the starter's altered windows, and every training clip as the appliance hears it.

Embeddings are kept in the work folder, which stays out of the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from backbone import Backbone
from bands import patches_of
from clips import Clip, read_clip, training_clips
from measure import HOP_SECONDS
from published import Published
from rowset import RowSet, row_set
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
SEED = 1_000_000
LOUD, SILENT = 15, 80  # int8 steps of the loudest band under the clip's loudest: 6 dB and 33 dB


@dataclass(frozen=True)
class Material:
    """``embeddings`` float32 (n, 1024) of what ``rows`` describes; its last patches are the clips', ``counts`` of each."""

    embeddings: Floats
    rows: RowSet
    counts: npt.NDArray[np.int64]

    @property
    def windows(self) -> int:
        """How many altered windows come before the clips' patches."""
        return len(self.embeddings) - int(self.counts.sum())

    def by_clip(self, values: Floats) -> list[Floats]:
        """Values of each patch, (n, ...), as one array for each training clip."""
        return np.split(values[self.windows :], np.cumsum(self.counts)[:-1])


def material(published: Published, work: Path) -> Material:
    """From the work folder, made first where it is missing: minutes."""
    backbone, clips = Backbone(published.backbone), training_clips()
    windows = row_set(work / "rows", SEED)
    path = work / "yamnet-training.npz"
    if not path.is_file():
        patches = [patches_of(read_clip(clip), HOP_SECONDS) for clip in tqdm(clips, desc="clips", unit="clip")]
        loudest = [found.reshape(len(found), -1).max(1) for found in patches]
        cells = np.concatenate([backbone.cells(windows.patches), *map(backbone.cells, patches)])
        with path.open("wb") as file:
            np.savez(file, cells=cells, loudest=np.concatenate(loudest), counts=[len(found) for found in patches])
    with np.load(path) as held:
        cells, loudest_patch, counts = held["cells"], held["loudest"].astype(np.int16), held["counts"]
    owner = np.repeat(np.arange(len(clips), dtype=np.int32), counts)
    whole = RowSet(
        windows.patches[:0],
        np.concatenate([windows.clip, owner]),
        np.concatenate([windows.presence, presence(loudest_patch, counts)]),
        np.concatenate([windows.behind, np.full(len(owner), -1, np.int32)]),
    )
    return Material((cells.astype(np.float32) - backbone.zero_point) * np.float32(backbone.scale), whole, counts)


def presence(loudest: npt.NDArray[np.int16], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Whether a clip's patch holds its sound, as in rowset.py: 1, 0 (unsure) or -1. ``loudest`` (n,) int8 steps."""
    peak = np.repeat(np.maximum.reduceat(loudest, np.cumsum(counts) - counts), counts)
    return np.where(loudest >= peak - LOUD, 1, np.where(loudest < peak - SILENT, -1, 0)).astype(np.int8)


def embedded(backbone: Backbone, clips: list[Clip]) -> list[Floats]:
    """Clips as they are, every 0.24 s: float32 (patches, 1024) each."""
    return [
        backbone.embeddings(patches_of(read_clip(clip), HOP_SECONDS)) for clip in tqdm(clips, desc="clips", unit="clip")
    ]
