"""Keep looks at sounds of each label: what feedback on a target of the look network should leave as it is.

    python -m models.impulse.labelled WORK/windows

WORK/windows are the training windows of train.py: single sounds in rooms, over other things. The file written holds
embeddings of both looks alone, of which no sound can be made. Needs models/starter/requirements.txt. The run is seeded.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from backbone import Backbone

from edge.features.look import AFTER, EARLY
from edge.model.impulse import impulse_text, load_impulse_manifest
from edge.model.manifest import FileSpec, file_sha256
from edge.model.manifest_file import MANIFEST
from models.impulse.lessons import load_windows
from models.impulse.manifest import NETWORK
from models.impulse.rows import embeddings, window_looks
from models.impulse.stock import LABELS

HERE = Path(__file__).resolve().parent
COUNT = 300
"""Of each label. With 100 feedback costs a quarter more claps, with 600 as many."""
SEED = 7_000_000


def main() -> None:
    """Arguments in, file and manifest out."""
    parser = argparse.ArgumentParser(description="Keep looks at sounds of each label of the look network.")
    parser.add_argument("windows", type=Path, help="the folder of the training windows")
    parser.add_argument("--count", type=int, default=COUNT, help="windows of each label")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the network lies")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    manifest = load_impulse_manifest(folder)
    spec = manifest.network.output
    windows = load_windows(sorted(arguments.windows.glob("part-*.npz")))
    names = [target.name for target in manifest.targets]
    chosen = choose(windows.labels, names, arguments.count)
    network = Backbone(folder / NETWORK)
    cells = [spec.to_cells(embeddings(network, window_looks(windows, chosen, heard))) for heard in (EARLY, AFTER)]
    labels = [LABELS[label] for label in windows.labels[chosen]]
    path = folder / "labelled.npz"
    with path.open("wb") as file:
        np.savez_compressed(
            file, cells=np.stack(cells, axis=1).astype(np.int8), scale=np.float32(spec.scale),
            zero_point=np.int32(spec.zero_point), labels=np.array(names),
            label_index=np.array([names.index(label) for label in labels], np.uint16),
            network_sha256=np.array(manifest.network.sha256))
    named = FileSpec(path.name, file_sha256(path), path.stat().st_size)
    (folder / MANIFEST).write_text(impulse_text(replace(manifest, labelled=named)), encoding="utf-8")
    print(f"{path}: {len(chosen)} sounds, {named.bytes} bytes")


def choose(labels: npt.NDArray[np.int64], names: list[str], count: int) -> npt.NDArray[np.int64]:
    """Places of windows, `count` of each label in `names` at most, in order. labels: numbers in LABELS, `(n,)`."""
    rng = np.random.default_rng(SEED)
    places = [np.flatnonzero(labels == LABELS.index(name)) for name in names]
    return np.sort(np.concatenate([rng.permutation(own)[:count] for own in places])).astype(np.int64)


if __name__ == "__main__":
    main()
