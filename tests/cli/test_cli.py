"""The program as its users meet it: what it prints, and how it ends. Every mistake is one line and an exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from edge import __version__
from edge.cli import COMMANDS, main
from tests.fakes import silence, tone

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parents[2]


def write_wav(path: Path, samples: np.ndarray, *, rate: int = 16_000, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "tone.wav", np.concatenate([silence(0.5), tone(1.0)]))


def edge_audio(*arguments: str | Path, code: int = 0, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the program as `python -m edge`; its exit code is checked, and that it says no traceback."""
    done = subprocess.run([sys.executable, "-m", "edge", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT,
                          timeout=120, check=False, **options)  # type: ignore[call-overload]
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, done.stderr
    return done


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that names the mistake."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("edge-audio: ")]
    assert len(lines) == 1, done.stderr
    assert "found" in lines[0] and "wanted" in lines[0]
    return lines[0]


def test_version_and_menu() -> None:
    assert edge_audio("--version").stdout.strip() == f"edge-audio {__version__}"
    menu = edge_audio("--help").stdout
    assert all(re.search(rf"^    {name}\b", menu, re.MULTILINE) for name in COMMANDS)
    edge_audio(code=2)
    edge_audio("clasify", code=2)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "Examples:" in text and f"edge-audio {command}" in text


def test_classify_prints_the_json_that_scripts_rely_on(recording: Path) -> None:
    line = json.loads(edge_audio("classify", "--format", "json", "--top", "2", "--hop", "0.48", recording).stdout)
    assert line["file"] == str(recording)
    assert line["duration_seconds"] == 1.5
    assert line["hop_seconds"] == 0.48
    assert [len(patch["scores"]) for patch in line["patches"]] == [2] * len(line["patches"])


def test_classify_goes_on_past_a_file_that_cannot_be_heard(recording: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("this is no sound")
    done = edge_audio("classify", text, recording, code=2)
    assert "text.wav" in complaint(done)
    assert "tone.wav" in done.stdout


def test_classify_searches_folders(recording: Path) -> None:
    (recording.parent / "notes.txt").write_text("x")
    assert "tone.wav" in edge_audio("classify", recording.parent).stdout
    empty = recording.parent / "empty"
    empty.mkdir()
    assert "a folder without recordings" in complaint(edge_audio("classify", empty, code=2))


@pytest.mark.parametrize(("arguments", "words"), [
    (["classify", "nowhere.wav"], ["nowhere.wav"]),
    (["classify", "--model", "startre", "x.wav"], ["startre", "starter"]),
    (["classify", "--top", "-1", "x.wav"], ["--top", "-1"]),
    (["classify", "--hop", "0.123456", "{recording}"], ["hop", "0.123456"]),
    (["classify", "--allow", "clasping", "{recording}"], ["clasping"]),
    (["run", "--config", "nowhere.toml"], ["nowhere.toml", "No such file"]),
    (["run", "--file", "nowhere.wav", "--fast"], ["nowhere.wav"]),
    (["classify", "--hop", "nan", "{recording}"], ["--hop", "nan"]),
    (["classify", "--score-threshold", "2", "{recording}"], ["--score-threshold", "2"]),
    (["classify", "--model", "", "{recording}"], ["model"]),
    (["bench", "--rounds", "0"], ["--rounds", "0"]),
    (["bench", "--seconds", "nan"], ["--seconds", "nan"]),
    (["bench", "--hop", "0"], ["--hop", "0"]),
    (["run", "--fast"], ["--fast", "microphone", "--file"]),
    (["evaluate", "nowhere"], ["nowhere"]),
    (["evaluate", "setup.cfg"], ["setup.cfg", "path and class"]),
    (["model", "install", "nowhere.tflite"], ["nowhere.tflite"]),
    (["model", "install", "README.md"], ["README.md"]),
    (["model", "show", "nothing"], ["nothing"]),
    (["model", "remove", "starter"], ["starter"]),
    (["bench", "--bare", "README.md", "--seconds", "2"], ["README.md"]),
])
def test_bad_usage_is_one_line_and_exit_code_2(arguments: list[str], words: list[str], recording: Path,
                                               tmp_path: Path) -> None:
    given = [argument.format(recording=recording) for argument in arguments]
    message = complaint(edge_audio(*given, code=2, env={"EDGE_AUDIO_STATE": str(tmp_path / "state"), "PATH": ""}))
    for word in words:
        assert word in message
    left = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == [], "nothing half-written"


def test_run_hears_a_recording_and_writes_a_line_for_each_event(recording: Path, tmp_path: Path) -> None:
    settings = tmp_path / "edge.toml"
    settings.write_text(f'[[target]]\nname = "anything"\nlabels = {json.dumps(starter_labels())}\nthreshold = 0.01\n'
                        f'release_threshold = 0.001\n[log]\nevents = "{tmp_path}/events.jsonl"\n'
                        '[[pin]]\npin = 17\ntarget = "anything"\nfactory = "simulated"\n')
    edge_audio("run", "--config", settings, "--file", recording, "--fast")
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [event["phase"] for event in events] == ["start", "end"]
    assert events[0]["id"] == events[1]["id"]


def starter_labels() -> list[str]:
    labels: list[str] = json.loads((ROOT / "models/starter/manifest.json").read_text())["labels"]
    return labels


def test_output_into_a_pipe_that_closes_is_no_failure_to_explain(recording: Path) -> None:
    done = subprocess.run(f'"{sys.executable}" -m edge classify --format json "{recording}" "{recording}" | head -c 1',
                          shell=True, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert "Traceback" not in done.stderr


def test_standard_output_that_is_closed_or_full_is_no_traceback(recording: Path) -> None:
    words = f'"{sys.executable}" -m edge classify "{recording}"'
    closed = subprocess.run(f"{words} >&-", shell=True, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert closed.returncode == 0 and "Traceback" not in closed.stderr
    full = subprocess.run(f"{words} > /dev/full", shell=True, capture_output=True, text=True, cwd=ROOT, timeout=120,
                          check=False)
    assert full.returncode == 1 and "Traceback" not in full.stderr
    assert "edge-audio: standard output: found No space left" in full.stderr


def test_a_demo_that_is_stopped_leaves_no_broker_behind(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-u", "-m", "edge", "demo"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
                               env={**os.environ, "TMPDIR": str(tmp_path)})
    assert process.stdout is not None
    while "claps.wav" not in process.stdout.readline():
        pass
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + 15
    assert list(tmp_path.iterdir()) == []


def test_check_finds_what_run_refuses(recording: Path, tmp_path: Path) -> None:
    settings = tmp_path / "edge.toml"
    settings.write_text(f'[source]\nkind = "file"\npath = "{recording}"\npaced = false\n[model]\nhop_seconds = 0.015\n'
                        '[mqtt]\nhost = "127.0.0.1"\nport = 1\nprefix = "a/b"\n[log]\nevents = "/nowhere/at/all"\n')
    done = edge_audio("check", "--config", settings, "--state-dir", tmp_path, "--format", "json", code=1)
    wrong = {line["part"]: line["text"] for line in map(json.loads, done.stdout.splitlines()) if not line["ok"]}
    assert set(wrong) == {"targets", "broker", "log"}
    assert "hop" in wrong["targets"] and "a/b" in wrong["broker"] and "/nowhere/at/all" in wrong["log"]


def test_check_names_each_part_with_what_to_do(recording: Path, tmp_path: Path) -> None:
    settings = tmp_path / "edge.toml"
    settings.write_text(f'[source]\nkind = "file"\npath = "{recording}"\npaced = false\n'
                        '[mqtt]\nhost = "127.0.0.1"\nport = 1\n'
                        '[[pin]]\npin = 17\ntarget = "hand_clap"\nfactory = "simulated"\n')
    done = edge_audio("check", "--config", settings, "--state-dir", tmp_path, "--format", "json", code=1)
    findings = {line["part"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert findings["model"]["ok"] and findings["file"]["ok"] and findings["pins"]["ok"] and findings["state"]["ok"]
    assert not findings["broker"]["ok"]
    assert "127.0.0.1:1" in findings["broker"]["text"] and findings["broker"]["advice"]


def test_bench_prints_one_object_for_a_hop() -> None:
    done = edge_audio("bench", "--format", "json", "--hop", "0.48", "--seconds", "3", "--rounds", "1")
    line = json.loads(done.stdout)
    assert {"runtime", "model", "hop_seconds", "cpu_seconds_per_audio_second", "peak_rss_bytes", "startup_seconds",
            "bare_cpu_seconds_per_audio_second"} <= set(line)
    assert {"front_end", "backbone", "head", "look", "decision", "total"} == set(line["cpu_seconds_per_audio_second"])
    assert {"gate_off", "gate_on", "quiet", "body"} <= set(line["run_cpu_seconds_per_audio_second"])
    assert {"gate_off", "gate_on", "quiet"} <= set(line["over_body"]) and line["gate_ratio"] > 0
    assert line["peak_rss_bytes"] > 10_000_000 and line["startup_cpu_seconds"] > 0


def test_evaluate_measures_a_folder_of_classes(tmp_path: Path) -> None:
    for name, sound in (("hand_clap", tone(1.0)), ("other", silence(1.0))):
        (tmp_path / name).mkdir()
        write_wav(tmp_path / name / "one.wav", sound)
    line = json.loads(edge_audio("evaluate", "--format", "json", tmp_path).stdout)
    assert line["clips"] == 2 and line["classified"] == 1
    assert line["classes"]["hand_clap"]["negatives"] == 1
    rows = edge_audio("evaluate", "--format", "csv", tmp_path).stdout.splitlines()
    assert rows[0].startswith("class,clips,negatives,area_under_curve,recall,") and rows[1].startswith("hand_clap,1,1,")
    assert line["confusion"]["rows"] == ["hand_clap", "other"]
    assert {"precision", "f1", "threshold", "heard", "false_alarms_per_hour", "false_alarms_per_hour_upper",
            "hours"} <= set(line["classes"]["hand_clap"])
    assert "accuracy" in edge_audio("evaluate", tmp_path).stdout


@pytest.mark.skipif(Path("/proc/asound/cards").exists(), reason="this machine may have a microphone")
def test_without_a_microphone_devices_and_check_say_what_to_do(tmp_path: Path) -> None:
    bare = {**os.environ, "PULSE_SERVER": "none", "EDGE_AUDIO_STATE": str(tmp_path), "HOME": str(tmp_path)}
    done = edge_audio("devices", code=1, env=bare)
    assert done.stdout == "" and "arecord" in done.stderr
    done = edge_audio("check", "--format", "json", code=1, env=bare)
    (finding,) = [line for line in map(json.loads, done.stdout.splitlines()) if line["part"] == "microphone"]
    assert not finding["ok"] and "none at all" in finding["text"] and "edge-audio devices" in finding["advice"]
