"""What was taught, on the disk: one file for each step, whole or not at all, so that `--undo` brings back the
last exactly.

    <state>/taught/<model>/000007.npz

The highest number is in force. Each file holds all: rows, the cells of examples, judgements. No sound is in
it.

Whoever adds a step reads what was taught, fits for seconds, and writes: all three while it holds
`changing_taught`. A second writer waits for the first and then builds on its step, so that no lesson is lost
and nobody has to teach again. Recordings are made before the lock is taken: `teach --microphone` keeps nobody
waiting while a person makes sounds.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ModelError
from edge.model.arrays import reading_arrays
from edge.model.manifest import Manifest
from edge.model.placing import WANTED, alone, disk_error, keeping, set_aside, sync
from edge.model.table import Table, json_table
from edge.model.taught import Judgement, Taught, TaughtCorrection, TaughtSound
from edge.model.taught_look import look_tables, read_looks
from edge.model.taught_steps import OLDEST, SCHEMA, taught_folder, taught_steps

KEPT = 20
"""Steps that can be undone."""
PATIENCE_SECONDS = 300.0
"""How long a writer waits for another one: a fit takes seconds, on the smallest boards a minute or two."""


def load_taught(state_dir: Path, manifest: Manifest) -> Taught:
    """What the model of `manifest` (its own, not extended) was taught; nothing where there is nothing.

    Raises ModelError for a file that is none, one of another backbone or front end, and for a name that is a label.
    """
    taught = newest_taught(state_dir, manifest.name)
    if taught is None:
        return Taught.nothing(manifest)
    taught.check(manifest)
    return taught.labelled(manifest)


def newest_taught(state_dir: Path, model: str) -> Taught | None:
    """What a model of this name was taught last, whether it fits the model of today or not; None where there
    is nothing.

    Raises ModelError for a file that cannot be read.
    """
    steps = taught_steps(taught_folder(state_dir, model))
    return read_taught(steps[-1]) if steps else None


def read_taught(path: Path) -> Taught:
    """One file, whatever model it is for. Raises ModelError."""
    wanted = "what was taught (edge-audio teach --undo goes back a step)"
    with reading_arrays(path, found="nothing that can be read", wanted=wanted) as arrays:
        return _parsed(json_table(str(arrays["about"]), str(path), schema=SCHEMA, oldest=OLDEST, wanted="what was taught"),
                       arrays)


@contextlib.contextmanager
def changing_taught(state_dir: Path) -> Iterator[None]:
    """Hold what models were taught against every other writer; read, fit and save inside.

    Raises ModelError where another writer is still at work after PATIENCE_SECONDS, and where the disk fails.
    """
    with alone(taught_folder(state_dir, ""), "edge-audio teach or feedback", patience_seconds=PATIENCE_SECONDS):
        yield


def save_taught(state_dir: Path, taught: Taught) -> Path:
    """Write the next step; the last one stays in force until it is complete. The caller holds
    `changing_taught`.

    Raises ModelError where the disk fails.
    """
    folder = taught_folder(state_dir, taught.model)
    steps = taught_steps(folder)
    path = folder / f"{int(steps[-1].stem) + 1 if steps else 1:06d}.npz"
    with keeping(path) as new, new.open("wb") as file:
        np.savez_compressed(file, **_arrays(taught))
    try:
        for old in [*steps, path][:-KEPT]:
            old.unlink()
    except OSError as error:
        raise disk_error(folder, error, WANTED) from error
    return path


def undo_taught(state_dir: Path, model: str) -> str:
    """Take the newest step back; what it was. Raises ModelError where there is none."""
    folder = taught_folder(state_dir, model)
    with _changing_steps(state_dir, folder, "nothing taught that could be undone") as steps:
        if len(steps) == 1 and steps[0].stem != "000001":
            raise ModelError(f"model {model}", found=f"no step before {steps[0].name}: the last {KEPT} are kept",
                             wanted="edge-audio teach --remove NAME, or --start-afresh")
        try:
            change = read_taught(steps[-1]).change
        except ModelError:
            change = f"{steps[-1].name}, which could not be read"
        steps[-1].unlink()
        sync(folder)
    return change


def start_afresh(state_dir: Path, model: str) -> Path:
    """Set aside all that was taught a model; where it lies now. Raises ModelError where there is nothing."""
    folder = taught_folder(state_dir, model)
    with _changing_steps(state_dir, folder, "nothing taught"):
        return set_aside(folder)


@contextlib.contextmanager
def _changing_steps(state_dir: Path, folder: Path, nothing: str) -> Iterator[list[Path]]:
    """Hold a model's steps. Raises ModelError: `nothing` where there is none, and for an OSError inside."""
    none = ModelError(f"model {folder.name}", found=nothing, wanted="edge-audio teach NAME CLIPS...")
    if not taught_steps(folder):  # asked before the lock too, which makes a folder
        raise none
    with changing_taught(state_dir):
        steps = taught_steps(folder)
        if not steps:
            raise none
        try:
            yield steps
        except OSError as error:
            raise disk_error(folder, error, WANTED) from error


def _arrays(taught: Taught) -> dict[str, Any]:
    """Everything as named arrays; the words as JSON in `about`."""
    sounds = [{key: value for key, value in asdict(sound).items() if key not in ("row", "cells", "clip", "kind")}
              for sound in taught.sounds]
    judged = [{key: value for key, value in asdict(one).items() if key not in ("cells", "beside")}
              for one in taught.judgements]
    about = {"schema": SCHEMA, "model": taught.model, "backbone_sha256": taught.backbone_sha256,
             "front_end": taught.front_end, "columns": taught.columns, "change": taught.change, "sounds": sounds,
             "judgements": judged,
             "corrections": [{"target": name, "labels": one.labels, "bias": one.bias.tolist(), "network": one.network}
                             for name, one in _corrections(taught)]}
    about["looks"], own = look_tables(taught.looks)
    arrays: dict[str, Any] = {"about": np.array(json.dumps(about, ensure_ascii=False)), **own}
    for number, sound in enumerate(taught.sounds):
        arrays |= {f"row{number}": sound.row, f"cells{number}": sound.cells, f"clip{number}": sound.clip,
                   f"kind{number}": sound.kind}
    for number, judgement in enumerate(taught.judgements):
        arrays |= {f"judged{number}": judgement.cells} | {
            f"judged{number}beside{place}": cells for place, cells in enumerate(judgement.beside)}
    for number, (_, correction) in enumerate(_corrections(taught)):
        arrays[f"correction{number}"] = correction.weights
    return arrays


def _corrections(taught: Taught) -> list[tuple[str, TaughtCorrection]]:
    return [*taught.corrections.items(), *taught.look_corrections.items()]


def _parsed(table: Table, arrays: Any) -> Taught:
    columns = table.get("columns", int, limits={"low": 1})

    def array(name: str, dtype: type, shape: tuple[int, ...]) -> Any:
        found = arrays[name]
        if found.dtype != dtype or found.shape != shape or not np.isfinite(found).all():
            raise ModelError(f"{table.where}{name}", found=f"{found.dtype} {list(found.shape)}",
                             wanted=f"{np.dtype(dtype)} {list(shape)}, finite")
        return found

    def sound(number: int, one: Table) -> TaughtSound:
        count = len(arrays[f"clip{number}"])
        read = one.read(TaughtSound, row=array(f"row{number}", np.float32, (columns,)),
                        cells=array(f"cells{number}", np.int8, (count, columns)),
                        clip=array(f"clip{number}", np.uint8, (count,)), kind=array(f"kind{number}", np.uint8, (count,)))
        if read.release_threshold > read.threshold:
            raise one.wrong("release_threshold", str(read.release_threshold), f"at most the threshold, {read.threshold}")
        return read

    def judgement(number: int, one: Table) -> Judgement:
        size = arrays[f"judged{number}"].shape[-1] if one.get("network", str, default="") else columns
        beside = tuple(array(name, np.int8, (size,)) for name in arrays if name.startswith(f"judged{number}beside"))
        return one.read(Judgement, cells=array(f"judged{number}", np.int8, (size,)), beside=beside)

    def correction(number: int, one: Table) -> TaughtCorrection:
        bias = np.array(one.get("bias", tuple[float, ...]), np.float32)
        if not len(bias):
            raise one.wrong("bias", "none", "the support's and each veto's")
        network = one.get("network", str, default="")
        size = arrays[f"correction{number}"].shape[-1] if network else columns
        return TaughtCorrection(array(f"correction{number}", np.float32, (len(bias), size)), bias,
                                one.get("labels", tuple[str, ...], default=()), network)  # before 2026-11-29: no labels

    corrections = [(one.get("target", str), correction(number, one))
                   for number, one in enumerate(table.tables("corrections"))]
    return table.read(
        Taught, sounds=tuple(sound(number, one) for number, one in enumerate(table.tables("sounds"))),
        judgements=tuple(judgement(number, one) for number, one in enumerate(table.tables("judgements"))),
        corrections={target: one for target, one in corrections if not one.network},
        look_corrections={target: one for target, one in corrections if one.network},
        looks=read_looks(table.tables("looks") if "looks" in table.values else (), arrays, array))
