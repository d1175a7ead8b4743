"""manifest.json: what is read is checked, and every error names file, key, found and wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelError
from edge.model.manifest_file import load_manifest, manifest_text, parse_manifest


def split_manifest() -> dict[str, Any]:
    """A split model's manifest, in full."""
    return {
        "schema": 1, "name": "starter", "version": "1", "kind": "split", "licence": "Apache-2.0",
        "description": "three sounds", "front_end": {"name": "logmel", "version": 1}, "sample_rate": 16000,
        "patch_samples": 15600,
        "backbone": {"file": "backbone.tflite", "sha256": "0" * 64, "bytes": 10,
                     "input": {"shape": [1, 96, 64], "dtype": "int8", "scale": 0.05, "zero_point": 16},
                     "output": {"shape": [1, 1, 1, 8], "dtype": "int8", "scale": 0.02, "zero_point": -128}},
        "head": {"file": "head.npz", "sha256": "1" * 64, "bytes": 20, "rows": 3, "columns": 8},
        "bank": {"file": "bank.npz", "sha256": "3" * 64, "bytes": 40},
        "labels": ["hand_clap", "typing", "finger_snap"], "experimental": ["finger_snap"],
        "targets": [{"name": "hand_clap", "labels": ["hand_clap"], "threshold": 0.5, "release_threshold": 0.25,
                     "standard": True, "impulsive": False}],
        "source": {"made_by": "a script"},
    }


def whole_manifest() -> dict[str, Any]:
    """A whole model's manifest."""
    values = split_manifest()
    for key in ("front_end", "backbone", "head", "bank"):
        del values[key]
    return values | {
        "kind": "whole", "patch_samples": 1600,
        "whole": {"file": "whole.tflite", "sha256": "2" * 64, "bytes": 30,
                  "input": {"shape": [1, 1600], "dtype": "float32", "scale": 0.0, "zero_point": 0},
                  "output": {"shape": [1, 3], "dtype": "float32", "scale": 0.0, "zero_point": 0}}}


@pytest.mark.parametrize("values", [split_manifest(), whole_manifest()])
def test_a_manifest_comes_back_as_it_was_written(values: dict[str, Any]) -> None:
    manifest = parse_manifest(json.dumps(values), "manifest.json")
    text = manifest_text(manifest)
    assert parse_manifest(text, "again") == manifest
    assert json.loads(text) == values


def test_what_may_be_left_out_is_empty() -> None:
    values = split_manifest()
    for key in ("experimental", "targets", "source"):
        del values[key]
    manifest = parse_manifest(json.dumps(values), "manifest.json")
    assert (manifest.experimental, manifest.targets, manifest.source) == ((), (), {})


def test_a_key_of_a_newer_version_is_left_alone() -> None:
    values = split_manifest() | {"mood": "sunny"}
    assert parse_manifest(json.dumps(values), "manifest.json").name == "starter"


@pytest.mark.parametrize("key", ["schema", "name", "version", "kind", "licence", "description", "sample_rate",
                                 "patch_samples", "labels"])
def test_a_missing_key_is_named(key: str) -> None:
    values = split_manifest()
    del values[key]
    with pytest.raises(ModelError, match=f"^m.json: {key}: found nothing; wanted "):
        parse_manifest(json.dumps(values), "m.json")


@pytest.mark.parametrize(("path", "value", "words"), [
    ("schema", 2, "m.json: schema: found 2; wanted 1"),
    ("schema", True, "m.json: schema: found true; wanted a whole number"),
    ("name", 5, "m.json: name: found 5; wanted a text"),
    ("name", "../up", "m.json: name: found '../up'"),
    ("name", ".hidden", "m.json: name: found '.hidden'"),
    ("kind", "half", "m.json: kind: found 'half'; wanted split or whole"),
    ("kind", "whole", "m.json: kind: found whole; wanted a table 'whole'"),
    ("head", None, "m.json: kind: found split; wanted front_end, backbone and head"),
    ("sample_rate", 44100, "m.json: sample_rate: found 44100; wanted 16000"),
    ("patch_samples", 15000, "m.json: patch_samples: found 15000; wanted 15600"),
    ("labels", ["hand_clap", "typing", "finger_snap", "x"], "m.json: labels: found 4; wanted 3, as head.rows"),
    ("labels", ["hand_clap", "typing", "typing"], "m.json: labels: found 'typing' twice"),
    ("labels", ["hand_clap", 7, "x"], "m.json: labels: found 7; wanted a list of texts"),
    ("labels", "hand_clap", 'm.json: labels: found "hand_clap"; wanted a list'),
    ("experimental", ["sneeze"], "found 'sneeze'; wanted a label of the model"),
    ("front_end.version", "1", 'm.json: front_end.version: found "1"; wanted a whole number'),
    ("backbone.file", "/etc/passwd", "m.json: file: found '/etc/passwd'"),
    ("backbone.bytes", 0, "m.json: backbone.bytes: found 0; wanted 1 or more"),
    ("backbone.input.shape", [1, 96, 65], "m.json: backbone.input: found int8 [1, 96, 65]"),
    ("backbone.input.shape", [1, -1, 64], "m.json: backbone.input.shape: found -1"),
    ("backbone.output.shape", [1, 9], "m.json: head.columns: found 8; wanted 9"),
    ("backbone.output.scale", "big", 'm.json: backbone.output.scale: found "big"; wanted a number'),
    ("head.rows", 4, "m.json: labels: found 3; wanted 4"),
    ("source.made_by", 5, "m.json: source.made_by: found 5; wanted a text"),
    ("targets", [{"name": "x", "labels": ["bang"], "threshold": 0.5, "release_threshold": 0.2}], "found 'bang'"),
    ("targets", [{"name": "x", "labels": ["typing"], "threshold": 0.5, "release_threshold": 0.2, "standard": 1}],
     "true or false"),
    ("targets", [{"name": "x", "labels": [], "threshold": 0.5, "release_threshold": 0.2}], "found no labels"),
    ("targets", [{"name": "x", "labels": ["typing"], "threshold": 0.1, "release_threshold": 0.2}], "threshold 0.1"),
    ("targets", [{"name": "x", "labels": ["typing"], "threshold": 0.1}],
     "m.json: targets[0].release_threshold: found nothing"),
    ("targets", ["typing"], 'm.json: targets: found "typing"; wanted a list of tables'),
    ("targets", None, "m.json: targets: found null; wanted a list of tables"),
    ("experimental", None, "m.json: experimental: found null; wanted a list of texts"),
    ("backbone.input.scale", None, "m.json: backbone.input.scale: found null; wanted a number"),
])
def test_a_mismatch_says_key_found_and_wanted(path: str, value: object, words: str) -> None:
    values = split_manifest()
    *parents, key = path.split(".")
    table = values
    for parent in parents:
        table = table[parent]
    table[key] = value
    with pytest.raises(ModelError) as caught:
        parse_manifest(json.dumps(values), "m.json")
    assert words in str(caught.value)


@pytest.mark.parametrize(("path", "value", "words"), [
    ("patch_samples", 1700, "m.json: patch_samples: found 1700; wanted 1600"),
    ("labels", ["hand_clap", "typing", "finger_snap", "x"], "m.json: labels: found 4; wanted 3, as in whole.output"),
])
def test_a_whole_manifest_is_held_against_its_tensors(path: str, value: object, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_manifest(json.dumps(whole_manifest() | {path: value}), "m.json")
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", '"text"', "[" * 100_000])
def test_what_is_no_json_table_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="json: found "):
        load_manifest(tmp_path)


def test_a_missing_manifest_and_one_that_is_no_text_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="json: found No such file"):
        load_manifest(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="no UTF-8"):
        load_manifest(tmp_path)
