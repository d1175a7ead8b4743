"""What `edge-audio bench` measures, and what it makes of it. How long anything takes is not looked at."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import load_model
from edge.errors import ModelError
from edge.model.runtime import Runtime
from edge.settings import GateSettings, ModelSettings
from edge.stream import SAMPLE_RATE
from edge.workshop.bench import Cost, bare_file, body, hear_file, in_turn, measure, middle, runtime_of
from edge.workshop.bench_process import ProcessCost, measure_process, python
from edge.workshop.bench_report import as_dict, process_dict, process_lines, table
from edge.workshop.bench_sound import quiet_room, test_sound, write_wav

varied = test_sound
del test_sound  # pytest would take it for a test
COST = Cost(hop_seconds=0.24, stages={"front_end": 0.001, "backbone": 0.003},
            spent={"gate_off": 0.006, "gate_on": 0.0063, "quiet": 0.002, "body": 0.003, "bare": 0.012},
            over_body={"gate_off": 2.0, "gate_on": 2.1, "quiet": 0.667, "bare": 4.0},
            over_bare={"gate_off": 0.5, "gate_on": 0.525, "quiet": 0.167, "body": 0.25}, gate=1.05, awake=0.0,
            patches_per_second=690.0, without_looks=1.2)


def test_rounds_go_in_turn_and_the_first_does_not_count() -> None:
    turns: list[str] = []

    def entrant(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    found = in_turn({"a": lambda: entrant("a"), "b": lambda: entrant("b")}, 2)
    assert turns == ["a", "b"] * 3
    assert found == [{"a": 3.0, "b": 4.0}, {"a": 5.0, "b": 6.0}]


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_that_of_the_medians() -> None:
    turns = [{"a": 1.0, "b": 1.0}, {"a": 30.0, "b": 10.0}, {"a": 8.0, "b": 4.0}]
    assert middle(turns, "a") == 8.0 and middle(turns, "b") == 4.0
    assert middle(turns, "a", "b") == 2.0


def test_the_sounds_are_always_the_same_and_the_quiet_room_is_quiet() -> None:
    assert np.array_equal(varied(2.0), varied(2.0)) and np.array_equal(quiet_room(2.0), quiet_room(2.0))
    assert len(varied(2.5)) == len(quiet_room(2.5)) == 2.5 * SAMPLE_RATE
    assert np.abs(quiet_room(20.0)).max() < 200 and np.abs(varied(2.0)).max() > 10_000


@pytest.mark.parametrize(("gate", "awake"), [(None, 1.0), (GateSettings(), 0.0), (GateSettings(open_db=0.0), 1.0)])
def test_the_quiet_room_is_heard_as_the_gate_has_it(gate: GateSettings | None, awake: float, tmp_path: Path) -> None:
    """What does not count is the time in which the gate does not know the room."""
    write_wav(tmp_path / "quiet.wav", quiet_room(24.0))
    model = load_model("starter", state_dir=tmp_path)
    spent, share = hear_file(model, tmp_path / "quiet.wav", 0.24, (), gate)
    assert share == awake and spent > 0.0


def test_the_body_is_invoked_once_a_hop_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = runtime_of(load_model("starter", state_dir=tmp_path))
    invoked: list[int] = []
    invoke = Runtime.invoke
    monkeypatch.setattr(Runtime, "invoke", lambda self: (invoked.append(1), invoke(self))[1])
    for other in ("set_input", "output"):
        monkeypatch.setattr(Runtime, other, lambda *_: pytest.fail("no copy belongs to the body alone"))
    assert body(runtime, 5) > 0.0 and len(invoked) == 5


def test_a_peer_has_its_turn_beside_ours_and_is_told_over_the_body(tmp_path: Path) -> None:
    model = load_model("starter", state_dir=tmp_path)
    cost = measure(model, seconds=2.4, hop_seconds=0.24, rounds=1, peers={"peer": lambda: 4.8})
    assert list(cost.spent) == ["gate_off", "gate_on", "quiet", "body", "peer"]
    assert cost.spent["peer"] == pytest.approx(2.0)
    assert cost.over_body["peer"] == pytest.approx(2.0 / cost.spent["body"])
    assert cost.over_bare == {} and cost.awake == 0.0
    assert set(cost.stages) == {"front_end", "backbone", "head", "look", "decision"}
    assert cost.gate == pytest.approx(cost.spent["gate_on"] / cost.spent["gate_off"])


def test_a_hop_is_told_in_lines_and_in_an_object() -> None:
    lines = table(COST, "starter", "LiteRT 2.3.0")
    assert lines[0] == "starter on LiteRT 2.3.0, hop 0.24 s: CPU milliseconds for a second of sound"
    assert [line.split() for line in lines if "gate off" in line or "body alone" in line] == [
        ["gate", "off", "6.000", "2.00", "0.50"], ["body", "alone", "3.000", "0.25"]]
    assert lines[-1].strip() == ("the gate costs +5.0% where there is sound; in the quiet room the body hears 0% of the "
                                 "patches")
    told = json.loads(json.dumps(as_dict(COST)))
    assert told["cpu_seconds_per_audio_second"] == {"front_end": 0.001, "backbone": 0.003, "total": 0.006}
    assert told["over_body"]["bare"] == 4.0 and told["ratio"] == 0.5 and told["gate_ratio"] == 1.05


def test_without_a_bare_interpreter_nothing_is_compared_with_it() -> None:
    process = ProcessCost(60_000_000, 0.5, 0.4)
    assert process_lines(process) == ["peak memory of run: 60 MB", "start-up: 0.40 s of CPU (0.50 s in all)"]
    assert process_dict(process)["peak_ratio"] is None and process_dict(process)["startup_ratio"] is None


def test_processes_are_measured_beside_a_bare_loop_of_the_runtime_alone(tmp_path: Path) -> None:
    """Any file that the runtime opens serves as the whole one: the loop knows nothing of ours."""
    whole = Path(__file__).resolve().parents[2] / "models/starter/backbone.tflite"
    found = measure_process(ModelSettings(), ["hand_clap"], 2.0, tmp_path, rounds=1, bare=whole)
    assert found.bare_peak_bytes is not None and 10e6 < found.bare_peak_bytes < found.peak_bytes
    assert found.startup_ratio is not None and found.startup_ratio > 1.0
    first, second = process_lines(found)
    assert "times the bare interpreter's" in first and "times the bare interpreter's" in second


def test_a_process_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(ModelError, match=r"exit 1: .*no such thing"):
        python("raise SystemExit('no such thing')")


def test_the_bare_file_is_the_models_own_or_an_installed_yamnets(tmp_path: Path) -> None:
    own, yamnet = tmp_path / "own", tmp_path / "models" / "yamnet"
    for folder in (own, yamnet):
        folder.mkdir(parents=True)
    assert bare_file(own, tmp_path) is None
    (yamnet / "whole.tflite").write_bytes(b"")
    (yamnet / "manifest.json").write_text("{}")
    assert bare_file(own, tmp_path) == yamnet / "whole.tflite"
    (own / "whole.tflite").write_bytes(b"")
    assert bare_file(own, tmp_path) == own / "whole.tflite"
