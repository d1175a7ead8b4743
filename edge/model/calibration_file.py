"""Calibration files: read with every key checked, written whole or not at all.

Whoever changes the owner's calibration reads it, sets thresholds and writes, all three while holding
`changing_calibrations`, so that two at a time lose no entry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.model.calibration import Calibration, TargetCalibration
from edge.model.manifest import NAME, Manifest
from edge.model.placing import alone, disk_error, keeping
from edge.model.proof import Proof, decode, encode, forms
from edge.model.table import Table, json_table

SCHEMA = 1
_LIMIT = 4 << 20
"""Bytes that a calibration may have: one of thirty targets takes 150,000."""
_MOST_PROOFS = 16
PATIENCE_SECONDS = 300.0
"""How long a writer waits for another one, who is setting thresholds."""


def shipped_path(directory: Path, runtime: str) -> Path:
    """Where the calibration that comes with a model lies. runtime: "LiteRT" or "tflite-runtime"."""
    return directory / f"calibration-{runtime.lower()}.json"


def own_path(state_dir: Path, model: str) -> Path:
    """Where the owner's calibration of a model lies."""
    return state_dir / "calibration" / f"{model}.json"


def load_calibration(path: Path, manifest: Manifest) -> Calibration | None:
    """Read and check a calibration of the model with this manifest; None where there is none.

    Raises ModelError naming file, key, found and wanted. Whether it fits this board is for `Calibration.problem` to say.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise disk_error(path, error, "a calibration that can be read") from error
    if len(content) > _LIMIT:
        raise ModelError(str(path), found=f"more than {_LIMIT} bytes", wanted="a calibration")
    table = json_table(content, str(path), schema=SCHEMA, wanted="a calibration")
    calibration = table.read(Calibration, proof=_proofs(table, manifest))
    for name, entry in calibration.targets.items():
        if not NAME.fullmatch(name):
            raise table.wrong("targets", repr(name)[:60], "names of targets")
        if not entry.scale + entry.scale_below > 0.0:
            raise table.wrong(f"targets.{name}.scale", "0", "more than 0")
        if entry.release_threshold > entry.threshold:
            raise table.wrong(f"targets.{name}.release_threshold", str(entry.release_threshold),
                              f"at most the threshold, {entry.threshold}")
    return calibration


@contextmanager
def changing_calibrations(state_dir: Path) -> Iterator[None]:
    """Hold the owner's calibrations against every other writer; read, set and save inside.

    Raises ModelError where another writer is still at work after PATIENCE_SECONDS, and where the disk fails.
    """
    with alone(own_path(state_dir, "").parent, "edge-audio calibrate", patience_seconds=PATIENCE_SECONDS):
        yield


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration; the old one stays until the new one is complete. Raises ModelError where the disk fails."""
    with keeping(path) as new:
        new.write_text(calibration_text(calibration), encoding="utf-8")


def calibration_text(calibration: Calibration) -> str:
    """The calibration as JSON, the same text for the same calibration: one line for each target and each list."""
    head = {"schema": SCHEMA, "model": calibration.model, "binding": asdict(calibration.binding)}
    proof = [{"given": encode(one.given), "made": encode(one.made)} for one in calibration.proof]
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    lines.append(' "proof": [\n' + ",\n".join(f"  {json.dumps(one)}" for one in proof) + "\n ]")
    entries = [f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(_entry(entry), ensure_ascii=False)}"
               for name, entry in sorted(calibration.targets.items())]
    lines.append(' "targets": {' + ("\n" + ",\n".join(entries) + "\n " if entries else "") + "}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _entry(entry: TargetCalibration) -> dict[str, Any]:
    return {key: value for key, value in asdict(entry).items() if value is not None and value != ""}


def _proofs(table: Table, manifest: Manifest) -> tuple[Proof, ...]:
    (given, given_size), (made, made_size) = forms(manifest)
    proofs = table.tables("proof")
    if not 1 <= len(proofs) <= _MOST_PROOFS:
        raise table.wrong("proof", f"{len(proofs)} patches", f"1 to {_MOST_PROOFS}")
    return tuple(Proof(decode(one.get("given", str), given, given_size, f"{one.where}given"),
                       decode(one.get("made", str), made, made_size, f"{one.where}made")) for one in proofs)
