"""Make the bank of the look network: looks at onsets of recordings, for which a taught sound must not be taken.

    python -m models.impulse.bank

Writes bank.npz and bank.json (sources, licences, size) into models/impulse, and names the bank in the manifest. The bank
holds embeddings of both looks only, of which no sound can be made. Needs models/starter/requirements.txt and the recordings
(EDGE_AUDIO_SHARED, default ../shared). The run is seeded.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from alter import background, through_microphone
from bands import band_rows
from clips import Clip, read_clip, source_list, training_clips
from scipy.signal import fftconvolve
from tqdm import tqdm

from edge.control.loading import open_looks
from edge.decision.onset import CENTRE, OnsetDetector
from edge.features.look import AFTER, EARLY, look
from edge.model.head import against_the_others, logistic
from edge.model.impulse import ImpulseManifest, LookNetwork, impulse_text, load_impulse_manifest
from edge.model.manifest import FileSpec, file_sha256
from edge.model.manifest_file import MANIFEST
from edge.stream import FRAME_STEP, SAMPLE_RATE
from models.choose import alike, farthest_first, stands_for
from models.impulse.rooms import room
from models.impulse.stock import CROWD, LABEL_OF, SINGLE, without_offset

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]
HERE = Path(__file__).resolve().parent
COUNT = 4_000
HARD_SHARE = 0.4
"""Of the bank: onsets of no label of the network, those that it takes for one most."""
MOST_OF_A_CLIP = 12
"""Hard onsets of one clip, at most."""
TURNS = 3
"""Times that each clip is heard: first as it is, then otherwise altered."""
QUIET = np.zeros(SAMPLE_RATE, np.float32)
BEGUN = 1_600
"""Samples: an onset so soon after the start of a sound that goes on is the cut, not the sound."""
NOT_HEARD = "rir"
"""Class of room responses, which are no sound."""
SEED = 6_000_000


@dataclass(frozen=True)
class Pool:
    """All that a bank may hold. cells int8 (n, 2, e), both looks; clip: number of training_clips(); altered bool (n,)."""

    cells: npt.NDArray[np.int8]
    clip: Numbers
    altered: npt.NDArray[np.bool_]


def main() -> None:
    """Arguments in, a bank out."""
    parser = argparse.ArgumentParser(description="Make the look network's bank of onsets.")
    parser.add_argument("--count", type=int, default=COUNT, help="onsets to keep")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the network lies")
    arguments = parser.parse_args()
    manifest = load_impulse_manifest(arguments.folder)
    network = open_looks(arguments.folder, manifest)
    clips = [clip for clip in training_clips() if clip.label != NOT_HEARD]
    pool = gather(network, clips)
    chosen, onsets = choose_from(pool, clips, network, arguments.count)
    write(arguments.folder, manifest, pool, clips, chosen, onsets)


def gather(network: LookNetwork, clips: list[Clip]) -> Pool:
    """Both looks at every onset of every clip, as recorded and altered."""
    cells, owner, altered = [], [], []
    for number, clip in enumerate(tqdm(clips, desc="clips", unit="clip")):
        samples = without_offset(read_clip(clip))
        for turn in range(TURNS):
            rng = np.random.default_rng([SEED, number, turn])
            found = looked_at(network, _altered(rng, samples) if turn else samples, goes_on=clip.label not in SINGLE)
            cells.append(found)
            owner += [number] * len(found)
            altered += [turn > 0] * len(found)
    return Pool(np.concatenate(cells), np.array(owner, np.intp), np.array(altered))


def _altered(rng: np.random.Generator, samples: Floats) -> Floats:
    """The same in another room or through another microphone, over steady noise, at another level."""
    if rng.random() < 0.6:
        samples = fftconvolve(samples, room(rng))[: len(samples)].astype(np.float32)
    samples = through_microphone(rng, samples)
    loudest = float(np.abs(samples).max())
    if loudest:
        samples = samples * np.float32(10 ** (-40.0 * rng.beta(1.2, 1.8) / 20) / loudest)
    level = float(np.sqrt(np.mean(samples**2))) * 10 ** (rng.uniform(-50.0, -15.0) / 20)
    return samples + background(rng, len(samples)) * np.float32(level)


def looked_at(network: LookNetwork, samples: Floats, *, goes_on: bool) -> npt.NDArray[np.int8]:
    """int8 (onsets, 2, e): both looks at each onset of float32 (n,) that is no echo, between two stretches of silence.

    goes_on: the recording begins in the middle of its sound.
    """
    rows = band_rows(np.concatenate((QUIET, samples, QUIET)))
    spec, found = network.manifest.network.output, []
    for onset in OnsetDetector().push(rows, 0):
        row = (onset.position - CENTRE) // FRAME_STEP
        begun = onset.position - len(QUIET) < BEGUN
        if onset.echo or (goes_on and begun) or row + AFTER > len(rows):
            continue
        embeddings = [network.see(look(rows, row, heard), onset.position).embedding for heard in (EARLY, AFTER)]
        found.append([spec.to_cells(each) for each in embeddings if each is not None])
    return np.array(found, np.int8).reshape(-1, 2, spec.size)


def choose_from(pool: Pool, clips: list[Clip], network: LookNetwork, count: int) -> tuple[Numbers, Floats]:
    """Which onsets to keep, in the pool's order, and how many recorded onsets each stands for (float32, 0 where altered)."""
    embeddings = network.manifest.network.output.to_real(pool.cells)
    points = alike(embeddings.reshape(len(embeddings), -1))
    names = np.array([clip.label for clip in clips])[pool.clip]
    shelf = np.unique([f"{clips[number].label}/{clips[number].group}" for number in pool.clip], return_inverse=True)[1]
    plain = np.flatnonzero(~pool.altered)
    first = plain[np.unique(shelf[plain], return_index=True)[1]]
    hard = hardest(_taken_for(network, embeddings), names, pool.clip, round(count * HARD_SHARE))
    kept = np.unique(np.concatenate((first, hard)))
    chosen = np.sort(farthest_first(points, kept, count))
    return chosen, stands_for(points, shelf, np.where(pool.altered, 0.0, 1.0).astype(np.float32), chosen)


def hardest(score: Floats, names: npt.NDArray[np.str_], clip: Numbers, count: int) -> Numbers:
    """The onsets of no label of the network that it takes most for one: MOST_OF_A_CLIP of a clip. score: (n,)."""
    found: list[int] = []
    of_clip: Counter[int] = Counter()
    for place in np.argsort(-score, kind="stable"):
        if len(found) == count:
            break
        if not label_of(str(names[place])) and of_clip[int(clip[place])] < MOST_OF_A_CLIP:
            of_clip[int(clip[place])] += 1
            found.append(int(place))
    return np.array(found, np.intp)


def _taken_for(network: LookNetwork, embeddings: Floats) -> Floats:
    """(n,): the highest probability that either look gives a target. embeddings: float32 (n, 2, e)."""
    logits = [against_the_others(network.head.logits(each)) for each in embeddings.reshape(-1, embeddings.shape[2])]
    shaped = np.stack(logits).reshape(len(embeddings), 2, -1)
    found = np.zeros(len(embeddings), np.float32)
    for offer in network.manifest.offers():
        for stage, own in enumerate(offer.stages):
            found = np.maximum(found, logistic(own.scale * shaped[:, stage, offer.row] + own.offset))
    return found


def label_of(name: str) -> str:
    """The network's label of a class of clips; "" for a class of none."""
    return "hand_clap" if name == CROWD else LABEL_OF.get(name, "")


def write(folder: Path, manifest: ImpulseManifest, pool: Pool, clips: list[Clip], chosen: Numbers, onsets: Floats) -> None:
    """bank.npz, bank.json that says what is in it, and the manifest with the bank's name."""
    spec, hours = manifest.network.output, sum(clip.seconds for clip in clips) / 3600.0
    going = sum(clip.seconds for clip in clips if clip.label not in SINGLE) / 3600.0
    names = np.array([clip.label for clip in clips])[pool.clip[chosen]]
    classes, class_index = np.unique(names, return_inverse=True)
    sources, source_index = np.unique([clips[number].group for number in pool.clip[chosen]], return_inverse=True)
    path = folder / "bank.npz"
    with path.open("wb") as file:
        np.savez_compressed(
            file, cells=pool.cells[chosen], scale=np.float32(spec.scale), zero_point=np.int32(spec.zero_point),
            classes=classes, class_index=class_index.astype(np.uint16), class_lone=np.isin(classes, SINGLE),
            class_labels=np.array([*map(label_of, classes)]), sources=sources, source_index=source_index.astype(np.uint16),
            onsets=onsets, altered=pool.altered[chosen], hours=np.float32(going),
            network_sha256=np.array(manifest.network.sha256))
    named = FileSpec(path.name, file_sha256(path), path.stat().st_size)
    described: dict[str, Any] = {
        "file": named.file, "sha256": named.sha256, "bytes": named.bytes, "network_sha256": manifest.network.sha256,
        "made_by": "models/impulse/bank.py", "seed": SEED, "onsets": len(chosen), "columns": spec.size,
        "altered": int(pool.altered[chosen].sum()), "recorded_onsets": round(float(onsets.sum())), "hours": round(hours, 3),
        "hours_that_go_on": round(going, 3),
        "classes": dict(sorted(Counter(names.tolist()).items())), "sources": source_list(pool.clip[chosen], clips)}
    (folder / "bank.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
    (folder / MANIFEST).write_text(impulse_text(replace(manifest, bank=named)), encoding="utf-8")
    print(f"{path}: {len(chosen)} onsets of {described['recorded_onsets']}, {named.bytes} bytes, {hours:.2f} hours")


if __name__ == "__main__":
    main()
