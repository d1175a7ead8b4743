"""Make the bank of a backbone: embeddings of recordings, for which a taught sound must not be taken.

    python models/bank.py starter --work FOLDER
    python models/bank.py yamnet --work FOLDER

Writes bank.npz and bank.json (sources, licences, size) into models/<name>, and names the bank in the
starter's manifest. The bank holds embeddings only, of which no sound can be made. Needs
models/starter/requirements.txt and the recordings (EDGE_AUDIO_SHARED, default ../shared). FOLDER holds the
altered windows that models/starter/train.py makes too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent / "starter"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "yamnet"))

from backbone import Backbone
from bands import patches_of
from choose import alike, farthest_first, stands_for
from clips import Clip, digest, read_clip, source_list, training_clips
from rowset import row_set
from tqdm import tqdm

MODELS = Path(__file__).resolve().parent
HOP_SECONDS = 0.48
COUNTS = {"starter": 6_000, "yamnet": 4_000}
ALTERED_SHARE = 0.25
HARDEST = 12  # of each label: the clips of other sounds that score highest
SEED = 1_000_000
NOISE = "noise"

Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Pool:
    """All that a bank may hold: int8 (n, e) cells; clip, number in training_clips(), -1 for made noise; seconds."""

    cells: npt.NDArray[np.int8]
    clip: Numbers
    seconds: npt.NDArray[np.float32]
    altered: npt.NDArray[np.bool_]


def main() -> None:
    """Arguments in, a bank out."""
    parser = argparse.ArgumentParser(description="Make the bank of negative embeddings of a backbone.")
    parser.add_argument("model", choices=sorted(COUNTS))
    parser.add_argument("--work", type=Path, required=True, help="folder for altered windows, outside the repository")
    parser.add_argument("--count", type=int, help="embeddings to keep")
    parser.add_argument("--out", type=Path, help="where bank.npz and bank.json go")
    arguments = parser.parse_args()
    out = arguments.out or MODELS / arguments.model
    backbone, sha256, head = opened(arguments.model)
    clips = training_clips()
    pool = gather(backbone, clips, arguments.work)
    chosen, seconds = choose_from(pool, clips, backbone, head, arguments.count or COUNTS[arguments.model])
    write(out, pool, clips, backbone, sha256, chosen, seconds)
    if (out / "manifest.json").is_file():
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        manifest["bank"] = file_of(out / "bank.npz")
        (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def opened(model: str) -> tuple[Backbone, str, npt.NDArray[np.float32]]:
    """The backbone, its digest, and the rows whose hardest negatives are kept: float32 (rows, e)."""
    if model == "yamnet":
        from published import own_weights, yamnet

        cut = yamnet()
        return Backbone(cut.backbone), cut.sha256, own_weights(cut)
    with np.load(MODELS / model / "head.npz") as head:
        return Backbone(MODELS / model / "backbone.tflite"), digest(MODELS / model / "backbone.tflite"), head["weights"]


def gather(backbone: Backbone, clips: list[Clip], work: Path) -> Pool:
    """Every clip as recorded, every 0.48 s; and altered windows of them, and of noise, with no other clip behind."""
    cells, owner, seconds = [], [], []
    for number, clip in enumerate(tqdm(clips, desc="clips", unit="clip")):
        found = backbone.cells(patches_of(read_clip(clip), HOP_SECONDS))
        cells.append(found)
        owner += [number] * len(found)
        seconds += [clip.seconds / len(found)] * len(found)
    windows = row_set(work / "rows", SEED)
    alone = np.flatnonzero(windows.behind < 0)
    cells.append(backbone.cells(windows.patches[alone]))
    altered = np.arange(len(owner) + len(alone)) >= len(owner)
    return Pool(
        np.concatenate(cells),
        np.concatenate([np.array(owner, np.intp), windows.clip[alone].astype(np.intp)]),
        np.concatenate([np.array(seconds, np.float32), np.zeros(len(alone), np.float32)]),
        altered,
    )


def choose_from(
    pool: Pool, clips: list[Clip], backbone: Backbone, head: npt.NDArray[np.float32], count: int
) -> tuple[Numbers, npt.NDArray[np.float32]]:
    """Which rows of the pool to keep, in the pool's order, and the seconds that each stands for."""
    embeddings = (pool.cells.astype(np.float32) - backbone.zero_point) * np.float32(backbone.scale)
    points = alike(embeddings)
    names, groups = named(pool, clips)
    shelf = np.unique(np.char.add(np.char.add(names, "/"), groups), return_inverse=True)[1]
    plain = np.flatnonzero(~pool.altered)
    first = plain[np.unique(shelf[plain], return_index=True)[1]]
    kept = np.concatenate([first, hardest(embeddings[plain] @ head.T, pool.clip[plain], plain)])
    chosen = plain[farthest_first(points[plain], np.searchsorted(plain, kept), round(count * (1 - ALTERED_SHARE)))]
    candidates = np.concatenate([chosen, np.flatnonzero(pool.altered)])
    chosen = np.sort(candidates[farthest_first(points[candidates], np.arange(len(chosen)), count)])
    return chosen, stands_for(points, shelf, pool.seconds, chosen)


def hardest(logits: npt.NDArray[np.float32], clip: Numbers, numbers: Numbers) -> Numbers:
    """The loudest patch, to each row, of each of the HARDEST clips (logits (n, rows)): their own sound among them."""
    found: list[int] = []
    for scores in logits.T:
        clips: set[int] = set()
        for place in np.argsort(-scores, kind="stable"):
            if len(clips) == HARDEST:
                break
            if clip[place] not in clips:
                clips.add(int(clip[place]))
                found.append(int(numbers[place]))
    return np.array(found, np.intp)


def named(pool: Pool, clips: list[Clip]) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """Class and source of every row of the pool: (n,) each."""
    names = np.array([clip.label for clip in clips] + [NOISE])
    groups = np.array([clip.group for clip in clips] + [NOISE])
    return names[pool.clip], groups[pool.clip]


def write(
    out: Path,
    pool: Pool,
    clips: list[Clip],
    backbone: Backbone,
    sha256: str,
    chosen: Numbers,
    seconds: npt.NDArray[np.float32],
) -> None:
    """bank.npz, and bank.json that says what is in it."""
    names, groups = named(pool, clips)
    classes, class_index = np.unique(names[chosen], return_inverse=True)
    sources, source_index = np.unique(groups[chosen], return_inverse=True)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "bank.npz").open("wb") as file:
        np.savez_compressed(
            file,
            cells=pool.cells[chosen],
            scale=np.float32(backbone.scale),
            zero_point=np.int32(backbone.zero_point),
            classes=classes,
            class_index=class_index.astype(np.uint16),
            sources=sources,
            source_index=source_index.astype(np.uint16),
            seconds=seconds,
            altered=pool.altered[chosen],
            backbone_sha256=np.array(sha256),
        )
    described: dict[str, Any] = {
        **file_of(out / "bank.npz"),
        "backbone_sha256": sha256,
        "made_by": "models/bank.py",
        "seed": SEED,
        "embeddings": len(chosen),
        "columns": pool.cells.shape[1],
        "altered": int(pool.altered[chosen].sum()),
        "hours": round(float(pool.seconds.sum(dtype=np.float64)) / 3600, 3),
        "classes": dict(sorted(Counter(names[chosen].tolist()).items())),
        "sources": source_list(pool.clip[chosen], clips),
    }
    (out / "bank.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    print(f"{out / 'bank.npz'}: {len(chosen)} embeddings, {described['bytes']} bytes, {described['hours']} hours")


def file_of(path: Path) -> dict[str, Any]:
    """Name, digest and size, as in a manifest."""
    return {"file": path.name, "sha256": digest(path), "bytes": path.stat().st_size}


if __name__ == "__main__":
    main()
