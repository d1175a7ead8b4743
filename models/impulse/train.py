"""Train the look network: sounds, windows, two courses with hard negatives between them, int8, head and manifest.

    python models/scenes/build.py SCENES
    python -m models.impulse.onsets SCENES/onsets/choose CHOOSE.npz
    python -m models.impulse.beside SCENES/onsets/choose CHOOSE.npz starter.npz (and yamnet.npz: see there)
    python -m models.impulse.train --work FOLDER --choose CHOOSE.npz --beside starter.npz yamnet.npz
    python -m models.impulse.train --work FOLDER --choose CHOOSE.npz rows       thresholds and manifest again
    python -m models.impulse.train --work FOLDER --choose CHOOSE.npz --recordings MINE --out MY_MODEL

Each step is kept in the work folder and skipped when it is there. `--recordings` adds an owner's own: a folder with a folder
for each class (named as a label of this network, or as a class of the manifest), each with WAV or FLAC at 16 kHz. Needs
models/starter/requirements.txt and the recordings (EDGE_AUDIO_SHARED, default ../shared). The run is seeded. The work folder
holds gigabytes and stays out of the repository.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from models.impulse.lessons import Learner, Windows

HERE = Path(__file__).resolve().parent
STEPS = ["windows", "first", "mine", "second", "network", "rows"]
OFFERED = ("hand_clap", "finger_snap", "door_knock", "key_press", "tap")
"""Labels that are targets. Looks alone heard fewer recordings of breaking glass than patches do, at more false alarms."""
REPRESENTATIVE, HEARD = 500, 20_000
"""Looks that set the scales of int8, and windows that give probabilities to labels that few scenes hold."""


def main() -> None:
    """Arguments in, artefacts out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", nargs="?", choices=["all", *STEPS], default="all")
    parser.add_argument("--work", type=Path, required=True, help="folder for windows, outside the repository")
    parser.add_argument("--choose", type=Path, required=True, help="the .npz of onsets.py that thresholds are chosen by")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="files of beside.py: a backbone each")
    parser.add_argument("--windows", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=8, help="of each course")
    parser.add_argument("--seed", type=int, default=8_000_000)
    parser.add_argument("--threads", type=int, default=1, help="of the training; more than one is slower on two cores")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="that make windows")
    parser.add_argument("--recordings", type=Path, help="a folder of your own recordings, to train with as well")
    parser.add_argument("--out", type=Path, default=HERE, help="where the artefacts go")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.recordings:
        from models.impulse.stock import own_clips

        own_clips(arguments.recordings)  # says what is wrong before hours are spent
    for step in STEPS if arguments.step == "all" else [arguments.step]:
        print(f"== {step}", flush=True)
        globals()[f"{step}_step"](arguments)


def windows_step(arguments: argparse.Namespace) -> list[Path]:
    """Make the windows, or those that are missing."""
    from models.impulse.training_set import make_windows

    return make_windows(arguments.work / "windows", arguments.windows, arguments.seed, arguments.processes,
                        arguments.recordings)


def first_step(arguments: argparse.Namespace) -> Learner:
    """The first course, which shows what is hard."""
    return _course(arguments, "first", windows_step(arguments))


def mine_step(arguments: argparse.Namespace) -> Path:
    """Hard negatives for the second course."""
    from models.impulse.critic import Critic
    from models.impulse.mine import mine

    path: Path = arguments.work / "mined.npz"
    if not path.is_file():
        mine(first_step(arguments), Critic(), path, arguments.seed)
    return path


def second_step(arguments: argparse.Namespace) -> Learner:
    """The second course, from the beginning, on the windows and what was hard."""
    return _course(arguments, "second", [*windows_step(arguments), mine_step(arguments)])


def _course(arguments: argparse.Namespace, name: str, parts: list[Path]) -> Learner:
    import torch

    from models.impulse.lessons import Course, load_windows, train

    torch.set_num_threads(arguments.threads)
    return train(load_windows(parts), Course(epochs=arguments.epochs), arguments.work / f"{name}.pt")


def network_step(arguments: argparse.Namespace) -> None:
    """Quantise."""
    from edge.features.look import AFTER, EARLY
    from models.impulse.export import write_network
    from models.impulse.rows import window_looks

    windows = _windows(arguments)
    some = np.random.default_rng(arguments.seed).permutation(len(windows.labels))[:REPRESENTATIVE]
    halves = np.array_split(some, 2)
    looks = np.concatenate([window_looks(windows, half, heard) for half, heard in zip(halves, (EARLY, AFTER), strict=True)])
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_network(second_step(arguments).network, looks, arguments.out / "look.tflite")


def rows_step(arguments: argparse.Namespace) -> None:
    """Take over the head; choose probabilities and thresholds; write the manifest and the list of sources."""
    from backbone import Backbone
    from clips import training_clips, write_sources

    from edge.features.look import AFTER, EARLY
    from edge.model.head import against_the_others
    from edge.model.impulse import LookBeside
    from models.impulse.manifest import write_manifest
    from models.impulse.rows import embeddings, hear, target_of, window_looks
    from models.impulse.stock import LABELS

    windows = _windows(arguments)
    some = np.random.default_rng(arguments.seed + 1).permutation(len(windows.labels))[:HEARD]
    network, head = Backbone(arguments.out / "look.tflite"), second_step(arguments).to_labels
    weights, bias = (values.detach().numpy() for values in (head.weight, head.bias))
    with (arguments.out / "head.npz").open("wb") as file:
        np.savez(file, weights=weights, bias=bias)
    values = [embeddings(network, window_looks(windows, some, heard)) for heard in (EARLY, AFTER)]
    with np.load(arguments.choose) as file:
        scenes: dict[str, Any] = {name: file[name] for name in file}
    chosen = hear(network, (weights, bias), scenes)
    trained = (np.stack([against_the_others(each @ weights.T + bias) for each in values]), windows.labels[some])
    patches, digests = _patches(arguments.beside)
    found = {label: target_of(label, chosen, trained, patches) for label in OFFERED}
    besides = [LookBeside(digests[name], label, *weights)
               for label, one in found.items() for name, weights in one.besides.items()]
    targets = {label: (one.threshold, one.first, one.second) for label, one in found.items()}
    write_manifest(arguments.out, LABELS, targets, besides=besides, rises={label: one.rise for label, one in found.items()})
    write_sources(arguments.out / "sources.csv", training_clips())
    for label, one in found.items():
        print(f"{label}: {one}")


def _patches(paths: list[Path]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """What beside.py wrote, by the file's name, and the backbones' digests."""
    patches, digests = {}, {}
    for path in paths:
        with np.load(path) as file:
            patches[path.stem] = dict(zip(file["targets"].tolist(), file["logits"].T, strict=True))
            digests[path.stem] = str(file["backbone"])
    return patches, digests


def _windows(arguments: argparse.Namespace) -> Windows:
    from models.impulse.lessons import load_windows

    return load_windows([*windows_step(arguments), mine_step(arguments)])


if __name__ == "__main__":
    main()
