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
from edge.model.calibration import (
    MADE,
    Binding,
    Calibration,
    Expected,
    Peaks,
    Positives,
    TargetCalibration,
)
from edge.model.json_table import Table
from edge.model.manifest import NAME, Manifest
from edge.model.placing import WANTED, alone, disk_error, writing
from edge.model.proof import Proof, decode, encode, forms
from edge.state import private_folder

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
    thing = str(path)
    if len(content) > _LIMIT:
        raise ModelError(thing, found=f"more than {_LIMIT} bytes", wanted="a calibration")
    try:
        parsed = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(thing, found=f"no JSON ({error})", wanted="a calibration") from error
    if not isinstance(parsed, dict):
        raise ModelError(thing, found=type(parsed).__name__, wanted="a table")
    table = Table(thing, "", parsed)
    if table.integer("schema") != SCHEMA:
        raise table.wrong("schema", str(table.integer("schema")), str(SCHEMA))
    targets = table.table("targets")
    for name in targets.values:
        if not NAME.fullmatch(name):
            raise table.wrong("targets", repr(name)[:60], "names of targets")
    return Calibration(table.text("model"), _binding(table.table("binding")), _proofs(table, manifest),
                       {name: _target(targets.table(name)) for name in targets.values})


@contextmanager
def changing_calibrations(state_dir: Path) -> Iterator[None]:
    """Hold the owner's calibrations against every other writer; read, set and save inside.

    Raises ModelError where another writer is still at work after PATIENCE_SECONDS, and where the disk fails.
    """
    with alone(own_path(state_dir, "").parent, "edge-audio calibrate", patience_seconds=PATIENCE_SECONDS):
        yield


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration; the old one stays until the new one is complete. Raises ModelError where the disk fails."""
    try:
        private_folder(path.parent)
        with writing(path) as new:
            new.write_text(calibration_text(calibration), encoding="utf-8")
    except OSError as error:
        raise disk_error(path, error, WANTED) from error


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
    return {key: value for key, value in asdict(entry).items() if value is not None}


def _binding(table: Table) -> Binding:
    return Binding(table.text("sha256"), table.integer("front_end"), table.text("runtime"), table.text("runtime_version"),
                   table.texts("machines"))


def _proofs(table: Table, manifest: Manifest) -> tuple[Proof, ...]:
    (given, given_size), (made, made_size) = forms(manifest)
    proofs = table.tables("proof")
    if not 1 <= len(proofs) <= _MOST_PROOFS:
        raise table.wrong("proof", f"{len(proofs)} patches", f"1 to {_MOST_PROOFS}")
    return tuple(Proof(decode(one.text("given"), given, given_size, f"{one.thing}: {one.prefix}given"),
                       decode(one.text("made"), made, made_size, f"{one.thing}: {one.prefix}made")) for one in proofs)


def _target(table: Table) -> TargetCalibration:
    made = table.text("made")
    if made not in MADE:
        raise table.wrong("made", repr(made), f"one of {', '.join(MADE)}")
    threshold = table.finite("threshold", low=0.0, high=1.0)
    scale, below = table.finite("scale", low=0.0), table.finite("scale_below", low=0.0)
    if not scale + below > 0.0:
        raise table.wrong("scale", "0", "more than 0")
    return TargetCalibration(
        labels=table.texts("labels"), row_sha256=table.text("row_sha256"), made=made,
        scale=scale, scale_below=below, offset=table.finite("offset"), threshold=threshold,
        release_threshold=table.finite("release_threshold", low=0.0, high=threshold),
        budget_per_day=table.finite("budget_per_day", low=0.0), varied_hours=table.finite("varied_hours", low=0.0),
        expected=_expected(table.table("expected")), positives=_positives(table.optional("positives")),
        negatives=_peaks(table.optional("negatives")), room=_peaks(table.optional("room")))


def _expected(table: Table) -> Expected:
    misses = None
    if table.values.get("misses") is not None:
        values = table.numbers("misses")
        if len(values) != 3:
            raise table.wrong("misses", f"{len(values)} numbers", "a share and its interval")
        misses = (values[0], values[1], values[2])
    errors = [None if table.values.get(key) is None else table.finite(key) for key in ("error_before", "error_after")]
    return Expected(table.finite("alarms_per_day", low=0.0), table.finite("alarms_upper", low=0.0),
                    table.flag("extrapolated", default=False), misses, *errors)


def _positives(table: Table | None) -> Positives | None:
    if table is None:
        return None
    apart = table.finite("apart", low=1e-3, high=1.0) if "apart" in table.values else 1.0
    return Positives(table.numbers("logits"), table.size("count"), apart)


def _peaks(table: Table | None) -> Peaks | None:
    return None if table is None else Peaks(table.numbers("logits"), table.integer("count"), table.finite("hours", low=0.0),
                                            table.finite("apart", low=0.01, high=1.0))
