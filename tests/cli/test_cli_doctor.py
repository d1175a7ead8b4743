"""`doctor`: all that `check` looks at, the board, the appliance that runs, and an archive without secrets."""

from __future__ import annotations

import json
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.cli.checkup.board import THROTTLED, check_board
from edge.cli.checkup.checkup import PARTS
from edge.cli.checkup.running import check_running
from edge.settings import LogSettings, Settings
from tests.cli.test_cli import write_wav
from tests.control.commanding import PATIENCE_SECONDS, EndlessSource, await_


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    return {found["part"]: found for found in map(json.loads, capsys.readouterr().out.splitlines())}


def written(folder: Path, more: str = "", samples: np.ndarray | None = None) -> str:
    noise = np.random.default_rng(1).normal(0, 60, 48_000).astype(np.int16) if samples is None else samples
    sound = write_wav(folder / "room.wav", noise)
    path = folder / "edge.toml"
    path.write_text(f'[source]\nkind = "file"\npath = "{sound}"\npaced = false\n[log]\nevents = ""\n{more}')
    return str(path)


def test_doctor_looks_at_all_that_check_does_and_at_the_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, '[[pin]]\npin = "27"\ntarget = "hand_clap"\nfactory = "simulated"\n')
    words = ["--config", config, "--state-dir", str(tmp_path / "state"), "--format", "json"]
    main(["check", *words])
    checked = told(capsys)
    main(["doctor", *words, "--pin", "GPIO27"])
    doctored = told(capsys)
    assert {part: (found["ok"], found["advice"]) for part, found in doctored.items() if part in checked} == {
        part: (found["ok"], found["advice"]) for part, found in checked.items()}  # in the texts the room on the disk changes
    assert {"clock", "disk", "memory", "service"} < doctored.keys() - checked.keys()
    assert doctored["pin"]["ok"] and str(doctored["pin"]["text"]).startswith("27 did what an event makes it do")
    assert main(["doctor", *words, "--pin", "5"]) == 1 and told(capsys)["pin"]["text"] == "the settings have no pin 5"


@pytest.mark.big
def test_an_appliance_that_runs_is_asked_for_its_microphone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has the microphone and the pins: opening them beside it fails, or worse, switches a relay."""
    source = EndlessSource()
    appliance = build(Settings(log=LogSettings(events="")), tmp_path, source=source)
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        await_(lambda: source.heard > 0)
        config = written(tmp_path, '[[pin]]\npin = "999"\ntarget = "hand_clap"\nfactory = "simulated"\n')
        words = ["doctor", "--config", config, "--state-dir", str(tmp_path), "--format", "json", "--pin", "999"]
        main([*words, "--bundle", str(tmp_path / "b.tar.gz")])
        found = told(capsys)
        assert str(found["service"]["text"]).startswith("runs: version ")
        assert found["source"] == {"part": "source", "ok": True, "text": "the service hears it", "advice": ""}
        assert found["watch"]["ok"] and not found.keys() & {"file", "pins"}
        assert "the service has the pins" in str(found["pin"]["text"])
        assert json.loads(opened(tmp_path / "b.tar.gz")["health.json"])["source"] == "ok"
        source.state = "it clips"
        assert main(words) == 1
        assert told(capsys)["source"]["text"] == "it clips"
    finally:
        appliance.stop()
        thread.join(PATIENCE_SECONDS)


def test_a_part_that_is_well_and_says_more_is_well() -> None:
    sinks = {"journal": "ok; keeps the sound of events", "log": "disk full"}
    found = {each.part: each.ok for each in check_running({"source": "ok", "sinks": sinks})}
    assert found["journal"] and not found["log"]


def opened(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        return {Path(each.name).name: archive.extractfile(each).read().decode()  # type: ignore[union-attr]
                for each in archive.getmembers()}


@pytest.mark.big
def test_a_bundle_holds_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    config = tmp_path / "edge.toml"
    config.write_text('[source]\nkind = "command"\n'
                      'command = ["no-such-ffmpeg", "-i", "rtsp://cam:tulip@camera/x?token=rose", "-key", "daisy"]\n'
                      f'[mqtt]\nhost = "127.0.0.1"\nport = 1\nuser = "violet"\npassword_file = "{secret}"\n')
    bundle = tmp_path / "help.tar.gz"
    words = ["doctor", "--config", str(config), "--state-dir", str(tmp_path / "state"), "--bundle", str(bundle)]
    assert main(words) == 1
    parts = opened(bundle)
    assert parts.keys() == {"findings.json", "settings.json", "versions.json", "health.json", "log.txt"}
    for secret_word in ("hunter2", "tulip", "rose", "daisy", "violet"):
        assert not [name for name, text in parts.items() if secret_word in text], secret_word
    settings = json.loads(parts["settings.json"])
    assert settings["source"]["command"] == ["no-such-ffmpeg", *["(left out)"] * 4]
    assert settings["mqtt"]["port"] == 1 and settings["device"]["name"]
    assert {"broker", "command"} <= {found["part"] for found in json.loads(parts["findings.json"])}
    assert json.loads(parts["versions.json"])["numpy"] == np.__version__
    assert bundle.stat().st_mode & 0o777 == 0o600
    capsys.readouterr()
    assert main(words) == 1 and "File exists" in capsys.readouterr().err  # nothing is written over


SINE = np.sin(np.arange(48_000) / 30)


@pytest.mark.parametrize(("samples", "words"), [
    (np.zeros(48_000), "nothing but zeros"), (np.full(48_000, 5), "stuck: every sample is 5"),
    (np.clip(SINE * 40_000, -32_768, 32_767), "clips: "), (SINE * 100 + 3_277, "off zero by 10 % of its range")])
def test_what_is_wrong_with_a_microphone_is_heard_in_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                              samples: np.ndarray, words: str) -> None:
    config = written(tmp_path, samples=samples.astype(np.int16))
    assert main(["check", "--config", config, "--only", "source", "--format", "json"]) == 1
    found = told(capsys)["file"]
    assert words in str(found["text"]) and found["advice"]
    quiet = written(tmp_path, samples=(SINE * 2).astype(np.int16))
    assert main(["check", "--config", quiet, "--only", "source", "--format", "json"]) == 0


@pytest.mark.parametrize(("bits", "text"), [("0", "no undervoltage"), ("50005", "undervoltage now"),
                                            ("0x50000", "undervoltage since the start"), ("80000", "slowed down")])
def test_a_board_tells_its_temperature_and_power(tmp_path: Path, bits: str, text: str) -> None:
    firmware, zone = tmp_path / THROTTLED, tmp_path / "sys/class/thermal/thermal_zone0/temp"
    for path, content in ((firmware, bits), (zone, "83500"), (tmp_path / "proc/meminfo", "MemAvailable:   52000 kB")):
        path.parent.mkdir(parents=True)
        path.write_text(f"{content}\n")
    found = {each.part: each for each in check_board(tmp_path, tmp_path)}
    assert text in found["power"].text and found["power"].ok == (bits == "0")
    assert not found["temperature"].ok and found["temperature"].text.startswith("84 degrees") and found["temperature"].advice
    assert not found["memory"].ok and found["disk"].ok


def test_a_board_that_tells_nothing_has_no_such_findings(tmp_path: Path) -> None:
    assert [each.part for each in check_board(tmp_path, tmp_path)] == ["clock", "disk"]


def test_check_only_takes_parts_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--only", "roof"])
    said = capsys.readouterr().err
    assert all(part in said for part in PARTS)
