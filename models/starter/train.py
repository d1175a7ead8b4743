"""Train the starter model: windows, student, backbone, rows, manifest. Each step is kept and skipped when it is there.

    python models/starter/train.py --work FOLDER            all of it
    python models/starter/train.py --work FOLDER rows       the rows and the manifest again, on the backbone as it is
    python models/starter/train.py --work FOLDER --narrow OLD.tflite       all of it, learning on from OLD: see narrow.py

Needs models/starter/requirements.txt and the recordings (EDGE_AUDIO_SHARED, default ../shared). The run is seeded; the
work folder holds gigabytes and stays out of the repository.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from student import Student

HERE = Path(__file__).resolve().parent
STEPS = ["windows", "student", "backbone", "rows", "compare"]


def main() -> None:
    """Arguments in, artefacts out."""
    parser = argparse.ArgumentParser(description="Train the starter model.")
    parser.add_argument("step", nargs="?", choices=["all", *STEPS], default="all")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for windows and checkpoints, outside the repository"
    )
    parser.add_argument("--windows", type=int, default=160_000)
    parser.add_argument("--epochs", type=int, default=6, help="of one cycle")
    parser.add_argument("--cycles", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--narrow", type=Path, help="a backbone of this training with a wider last convolution: narrow it, learn on from it"
    )
    parser.add_argument("--fastest", type=float, default=3e-3, help="highest learning rate of the first cycle")
    parser.add_argument("--out", type=Path, default=HERE, help="where the artefacts go")
    arguments = parser.parse_args()
    steps = STEPS if arguments.step == "all" else [arguments.step]
    for step in steps:
        print(f"== {step}", flush=True)
        globals()[f"{step}_step"](arguments)


def windows_step(arguments: argparse.Namespace, wanted: slice = slice(None)) -> list[Path]:
    """Make the distilling set, or the wanted parts of it."""
    from windows import make_windows

    return make_windows(arguments.work / "windows", arguments.windows, arguments.seed, arguments.threads, wanted)


def student_folder(arguments: argparse.Namespace) -> Path:
    """Where this run's checkpoint lies: one folder for each size and length."""
    return Path(arguments.work / f"student-{arguments.windows}-{arguments.epochs}")


def student_step(arguments: argparse.Namespace) -> None:
    """Distil."""
    import torch
    from clips import digest, shared_folder, training_clips
    from distil import Course, distil
    from teacher import Teacher
    from windows import PUBLISHED

    torch.set_num_threads(arguments.threads)
    folder = student_folder(arguments)
    labels = len({clip.label for clip in training_clips()})
    teacher = Teacher(shared_folder() / PUBLISHED)
    course = Course(arguments.epochs, arguments.cycles, arguments.seed, arguments.fastest)
    start = narrow(arguments, folder / "narrowed.pt") if arguments.narrow else None
    student, seconds = distil(windows_step(arguments), labels, teacher, folder, course, start)
    torch.save(student.state_dict(), folder / "student.pt")
    made = {"windows": arguments.windows, "epochs": course.length, "seconds": round(seconds)}
    if arguments.narrow:
        learnt = json.loads((arguments.narrow.parent / "training.json").read_text())
        before = {name: learnt[name] for name in made}
        made = {**before, "narrowed_from": digest(arguments.narrow), "further": made}
    (folder / "training.json").write_text(json.dumps(made) + "\n")


def narrow(arguments: argparse.Namespace, path: Path) -> Path:
    """Narrow an earlier backbone, ready to learn on. How that one learnt is told by the training.json beside it."""
    import numpy as np
    import torch
    from further import with_norms
    from narrow import narrowed

    patches = np.concatenate([np.load(part)["patches"] for part in windows_step(arguments, slice(4))])
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(with_norms(narrowed(arguments.narrow, patches), torch.from_numpy(patches)).state_dict(), path)
    return path


def trained_student(arguments: argparse.Namespace) -> Student:
    """The student of this run, in float."""
    import torch
    from student import Student

    student = Student()
    student.load_state_dict(torch.load(student_folder(arguments) / "student.pt", weights_only=True))
    return student.eval()


def backbone_step(arguments: argparse.Namespace) -> None:
    """Quantise."""
    import numpy as np
    from export import write_backbone

    with np.load(windows_step(arguments, slice(1))[0]) as part:
        write_backbone(trained_student(arguments), part["patches"][:500], arguments.out / "backbone.tflite")


def rows_step(arguments: argparse.Namespace) -> None:
    """Fit the rows on the frozen int8 backbone; write head, manifest and the list of sources."""
    from rows import fit_head

    fit_head(arguments.out, arguments.work / "rows", arguments.seed)


def compare_step(arguments: argparse.Namespace) -> None:
    """Measure what int8 costs, on windows that trained nothing, and record how the model was made."""
    import numpy as np
    from agreement import agreement

    made = json.loads((student_folder(arguments) / "training.json").read_text())
    with np.load(windows_step(arguments, slice(-1, None))[0]) as part:
        found = agreement(trained_student(arguments), arguments.out, part["patches"][:1000])
    (arguments.out / "training.json").write_text(json.dumps({**made, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
