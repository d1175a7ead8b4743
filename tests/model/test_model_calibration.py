"""Calibration files: what they are bound to, what proves them, and what a broken one says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.calibration import (
    Binding,
    Calibration,
    Expected,
    Peaks,
    Positives,
    TargetCalibration,
    entry_problem,
    row_sha256,
)
from edge.model.calibration_file import calibration_text, load_calibration, own_path, save_calibration, shipped_path
from edge.model.classifier import Model, Split, open_model
from edge.model.head import Head
from edge.model.proof import check_proof, decode, encode
from edge.workshop.models.install import Installer

STARTER = Path(__file__).resolve().parents[2] / "models" / "starter"


@pytest.fixture(scope="module")
def starter(runtime: str) -> Split:
    model = open_model(STARTER, runtime=runtime)
    assert isinstance(model, Split)
    return model


def entry(model: Model, labels: tuple[str, ...] = ("hand_clap",)) -> TargetCalibration:
    return TargetCalibration(
        labels, row_sha256(model, labels), "clips", 0.7, 0.9, -0.25, 0.93, 0.6, 1.0, 0.2,
        Expected(1.0, 2.5, True, (0.1, 0.02, 0.3), 0.2, 0.05), Positives((1.5, 3.25), 2, 0.75),
        Peaks((2.0, 1.0), 40, 1.5, 0.5))


def test_a_calibration_comes_back_as_it_was_written(starter: Split, tmp_path: Path) -> None:
    calibration = Calibration.new(starter).with_targets({"hand_clap": entry(starter), "clap-2": entry(starter)})
    path = own_path(tmp_path, "starter")
    save_calibration(path, calibration)
    again = load_calibration(path, starter.manifest)
    assert again is not None
    assert calibration_text(again) == calibration_text(calibration) == path.read_text(encoding="utf-8")
    assert again.targets == calibration.targets and again.binding == calibration.binding
    assert again.problem(starter) == ""
    assert [file.name for file in path.parent.iterdir()] == [path.name], "nothing half-written is left"
    assert load_calibration(tmp_path / "none.json", starter.manifest) is None
    assert shipped_path(STARTER, "LiteRT").name == "calibration-litert.json"


def test_every_part_of_the_binding_is_looked_at(starter: Split) -> None:
    calibration = Calibration.new(starter)
    own = calibration.binding
    for change, said in (({"sha256": "0" * 64}, "another backbone"), ({"front_end": 7}, "front end 7"),
                         ({"runtime": "other"}, "made on other"), ({"machines": ("m68k",)}, "made on m68k")):
        assert said in replace(calibration, binding=replace(own, **change)).problem(starter)
    assert replace(calibration, binding=replace(own, runtime_version="9.9")).problem(starter) == ""


def test_what_ships_serves_every_machine_that_computes_alike(starter: Split) -> None:
    shipped = Binding.of(starter, shipped=True)
    if shipped.runtime == "LiteRT":
        assert set(shipped.machines) == {"x86_64", "aarch64"}
    else:
        assert len(shipped.machines) == 1
    assert shipped.problem(Binding.of(starter, shipped=False)) == ""


def test_a_board_that_computes_otherwise_is_found_out(starter: Split) -> None:
    calibration = Calibration.new(starter)
    first = calibration.proof[0]
    assert len(np.unique(np.concatenate([proof.made for proof in calibration.proof]))) > 20, "the proof says something"
    step = first.made.astype(np.int16)
    step[0] += 1 if step[0] < 127 else -1
    one_off = replace(calibration, proof=(replace(first, made=step.astype(np.int8)), *calibration.proof[1:]))
    assert one_off.problem(starter) == "", "kernels may round a half the other way"
    step[0] += 3 if step[0] < 100 else -3
    far_off = replace(calibration, proof=(replace(first, made=step.astype(np.int8)), *calibration.proof[1:]))
    assert "this board computes otherwise: 1 of" in far_off.problem(starter)
    short = replace(first, made=first.made[:10])
    assert "10 values" in check_proof(starter, (short,))


def test_a_new_row_voids_nothing_and_a_changed_row_its_own_target_only(starter: Split) -> None:
    before = {label: row_sha256(starter, [label]) for label in ("hand_clap", "typing")}
    weights, bias = starter.head.weights.copy(), starter.head.bias.copy()
    taught = replace(starter.manifest, labels=(*starter.labels, "my_door"))
    longer = Split(taught, tuple(range(len(taught.labels))), starter.backbone,
                   Head(np.concatenate([weights, weights[:1] + 1]), np.concatenate([bias, bias[:1]])))
    assert {label: row_sha256(longer, [label]) for label in before} == before
    weights[starter.labels.index("typing")] *= 1.01
    changed = Split(starter.manifest, tuple(range(len(starter.labels))), starter.backbone, Head(weights, bias))
    assert row_sha256(changed, ["hand_clap"]) == before["hand_clap"]
    assert row_sha256(changed, ["typing"]) != before["typing"]
    one = replace(entry(starter), labels=("typing",), row_sha256=before["typing"])
    assert entry_problem(one, ["typing"], row_sha256(changed, ["typing"])) == "its rows have changed"
    assert "made for the labels typing" in entry_problem(one, ["typing", "music"], "")


def test_the_order_of_labels_does_not_matter_and_which_rows_are_in_use_neither(starter: Split, runtime: str) -> None:
    few = open_model(STARTER, runtime=runtime, rows=["typing", "hand_clap"])
    assert row_sha256(few, ["hand_clap", "typing"]) == row_sha256(starter, ["typing", "hand_clap"])
    with pytest.raises(ModelError, match="no_such"):
        row_sha256(few, ["no_such"])


@pytest.mark.big
def test_a_whole_model_is_bound_and_proven_too(tiny: Path, runtime: str, tmp_path: Path) -> None:
    directory = Installer(tmp_path, runtime=runtime).install(tiny / "float.tflite")
    model = open_model(directory, runtime=runtime)
    calibration = Calibration.new(model)
    save_calibration(tmp_path / "one.json", calibration)
    again = load_calibration(tmp_path / "one.json", model.manifest)
    assert again is not None and again.problem(model) == ""
    few = open_model(directory, runtime=runtime, rows=[model.labels[-1]])
    assert again.problem(few) == ""
    assert row_sha256(few, [model.labels[-1]]) == row_sha256(model, [model.labels[-1]])
    assert calibration.binding.front_end == 0


BREAKS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda values: values.pop("binding"), "binding"),
    (lambda values: values.pop("targets"), "targets"),  # was read as a calibration of nothing, and nobody was told
    (lambda values: values.update(targets=None), "targets"),
    (lambda values: values["targets"]["hand_clap"]["expected"].update(extrapolated=None), "expected.extrapolated"),
    (lambda values: values.update(schema=2), "schema"),
    (lambda values: values["binding"].update(machines="x86_64"), "binding.machines"),
    (lambda values: values["targets"].update({"a/b": values["targets"]["hand_clap"]}), "targets"),
    (lambda values: values["targets"]["hand_clap"].update(scale=-1), "targets.hand_clap.scale"),
    (lambda values: values["targets"]["hand_clap"].update(scale=float("nan")), "targets.hand_clap.scale"),
    (lambda values: values["targets"]["hand_clap"].update(scale=0, scale_below=0), "targets.hand_clap.scale"),
    (lambda values: values["targets"]["hand_clap"].update(threshold=1.5), "targets.hand_clap.threshold"),
    (lambda values: values["targets"]["hand_clap"].update(release_threshold=0.99), "release_threshold"),
    (lambda values: values["targets"]["hand_clap"].update(made="by hand"), "targets.hand_clap.made"),
    (lambda values: values["targets"]["hand_clap"]["expected"].update(misses=[0.5]), "expected.misses"),
    (lambda values: values["targets"]["hand_clap"]["negatives"].update(logits=[1, "2"]), "negatives.logits"),
    (lambda values: values.update(proof=[]), "proof"),
    (lambda values: values["proof"][0].update(given="AAAA"), "given"),
    (lambda values: values["proof"][0].update(given=encode(np.zeros(10, np.int8))), "given"),
    (lambda values: values["proof"][0].update(made=encode(np.zeros(1 << 20, np.int8))), "made"),
]


@pytest.mark.parametrize(("breaks", "named"), BREAKS, ids=range(len(BREAKS)))
def test_a_broken_file_is_named_with_its_key(breaks: Callable[[dict[str, Any]], object], named: str, starter: Split,
                                             tmp_path: Path) -> None:
    values = json.loads(calibration_text(Calibration.new(starter).with_targets({"hand_clap": entry(starter)})))
    breaks(values)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ModelError) as raised:
        load_calibration(path, starter.manifest)
    assert str(path) in raised.value.thing and named in raised.value.thing


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b" " * (5 << 20)])
def test_a_file_that_is_no_calibration_is_said_to_be_none(content: bytes, starter: Split, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.json"):
        load_calibration(path, starter.manifest)


def test_packed_values_are_bounded() -> None:
    values = np.arange(-5, 6, dtype=np.int16)
    assert np.array_equal(decode(encode(values), "int16", 11, "x"), values)
    for size in (10, 12):
        with pytest.raises(ModelError):
            decode(encode(values), "int16", size, "x")
