"""The command `update` off the image, the record of updates, the look at the appliance, and what health says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.app import build
from edge.cli import main
from edge.cli.checkup.running import check_running
from edge.cli.updating.appliance import look
from edge.cli.updating.board import image_version
from edge.cli.updating.kinds import require_image
from edge.cli.updating.record import load, save
from edge.cli.updating.trial import ALL_LOOKS, Failure, Record, Trial
from edge.control import updates
from edge.control.systemd import status_words
from edge.errors import SettingsError, UpdateError
from edge.settings import LogSettings, Settings, SourceSettings
from edge.settings_file import parse_settings
from tests.control.commanding import PATIENCE_SECONDS, EndlessSource, await_
from tests.fakes import FakeSink

ROOT = Path(__file__).resolve().parents[2]
TEXT = st.text(max_size=20)
LOOKS = st.lists(st.sampled_from(ALL_LOOKS), unique=True).map(tuple)
RECORDS = st.builds(
    Record, st.dictionaries(st.sampled_from("AB"), TEXT), st.sampled_from(["", "A", "B"]),
    st.none() | st.builds(Trial, st.sampled_from("AB"), TEXT, LOOKS, TEXT, st.booleans(), st.integers(0, 9), TEXT),
    st.none() | st.builds(Failure, st.sampled_from("AB"), TEXT, TEXT, TEXT, st.booleans()))


def test_other_installations_say_how_they_are_updated(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["https://example.org/a.raucb"], ["--status"], ["--confirm"], ["--scheduled"], []):
        assert main(["update", *words]) == 2
        assert "wanted the image, which has two slots. Here: `git pull`, then `make install`" in capsys.readouterr().err


@pytest.mark.parametrize(("package", "prefix", "told"), [
    ("usr/lib/edge-audio/edge", "usr", "apt install"),
    ("opt/edge-audio/lib/python3.13/site-packages/edge", "opt/edge-audio", "sudo deploy/install.sh` again"),
    ("home/me/.venv/lib/edge", "home/me/.venv", "pip install --upgrade")])
def test_each_installation_has_its_way(tmp_path: Path, package: str, prefix: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        require_image(tmp_path, tmp_path / package, tmp_path / prefix)


def test_the_image_is_known_by_its_version_and_its_slots(tmp_path: Path) -> None:
    (tmp_path / "etc/rauc").mkdir(parents=True)
    (tmp_path / "etc/rauc/system.conf").write_text("")
    with pytest.raises(SettingsError):
        require_image(tmp_path)
    (tmp_path / "etc/os-release").write_text("ID=debian\nIMAGE_VERSION='1.2'\n")
    require_image(tmp_path)
    assert image_version(tmp_path / "etc/os-release") == "1.2"


@pytest.mark.big
@settings(max_examples=40)
@given(RECORDS)
def test_a_record_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, record: Record) -> None:
    path = tmp_path_factory.mktemp("record") / "system" / "update.json"
    save(path, record)
    assert load(path) == record and path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", "null", '{"schema":2}', '{"schema":1,"proven":[]}'])
def test_a_record_that_is_broken_is_an_error(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "update.json").write_text(text)
    with pytest.raises(UpdateError, match=r"update\.json: found"):
        load(path)
    assert load(tmp_path / "none.json") == Record()
    with pytest.raises(UpdateError, match="wanted room for the record"):
        save(path / "below", Record())


def dead_mans_switch(root: Path, slot: str) -> str:
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cmdline").write_text(f"root=PARTUUID=1-02 ro rauc.slot={slot} panic=5\n")
    words = [ROOT / "deploy/image/units/trial.sh", root, "0"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.mark.big
def test_the_dead_mans_switch_knows_a_trial_by_the_record(tmp_path: Path) -> None:
    """A shell script that reads what Python wrote: both must mean the same."""
    path = tmp_path / "data/system/update.json"
    assert "slot A is not proven" in dead_mans_switch(tmp_path, "A")  # no data partition: nothing works there
    path.parent.mkdir(parents=True)
    assert dead_mans_switch(tmp_path, "A") == ""
    save(path, Record({"A": "1"}, "A", Trial("B", "2", boot="x")))
    assert "slot B is not proven" in dead_mans_switch(tmp_path, "B")
    assert dead_mans_switch(tmp_path, "A") == ""
    save(path, Record({"A": "1", "B": "2"}, "B", None, Failure("B", "3", "no", "now")))
    assert dead_mans_switch(tmp_path, "B") == ""


@pytest.mark.big
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze: this machine has no systemd")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / "deploy/image/units").glob("edge-audio-[ctu]*"):
        text = re.sub(r"^(ExecStart)=.*", r"\1=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.iterdir())
    assert [unit.stem.rpartition("-")[2] for unit in units] == ["confirm", "trial", "update", "update"]
    judged = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert judged.returncode == 0 and "edge-audio" not in judged.stderr, judged.stderr


@pytest.mark.big
def test_the_look_sees_samples_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text("#!/bin/sh\nprintf '%s\\n' ActiveState=active MainPID=7 NRestarts=1\n")
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    nobody = look(tmp_path)
    assert nobody.passed == {"service": True, "samples": False, "delegate": False, "broker": False}
    source = EndlessSource()
    appliance = build(Settings(log=LogSettings(events="")), tmp_path, source=source)
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        await_(lambda: source.heard > 0)
        seen = look(tmp_path)
        assert seen.passed == {"service": True, "samples": True, "delegate": True, "broker": False} and seen.process == "7.1"
        source.state = "no microphone"
        seen = look(tmp_path)
        assert not seen.passed["samples"] and seen.words["samples"] == "no microphone"
    finally:
        appliance.stop()
        thread.join(PATIENCE_SECONDS)


def test_health_says_what_the_self_check_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "NOTE", tmp_path / "note")
    assert updates.update_words() == "ok"
    (tmp_path / "note").write_text("\n")
    assert updates.update_words() == "ok"
    (tmp_path / "note").write_text("version 2 was taken back: no samples flow; version 1 runs\n" + "x" * 500)
    words = updates.update_words()
    assert words.startswith("version 2 was taken back") and len(words) <= updates.LONGEST
    assert status_words(["clap"], {"update": words, "delegate": "ok"}) == f"hearing clap; {words}"
    found = {each.part: each for each in check_running({"update": words, "source": "ok"})}
    assert not found["update"].ok and "edge-audio update --status" in found["update"].advice
    sink = FakeSink()
    source = SourceSettings(kind="file", path=str(ROOT / "models/demo/steps.wav"), paced=False)
    build(Settings(source=source, log=LogSettings(events="")), tmp_path, extra_sinks=[sink]).run()
    assert sink.healths[-1]["update"] == words


@pytest.mark.parametrize(("url", "fine"), [
    ("https://example.org/a.raucb", True), ("http://10.0.0.2:8000/a.raucb", True), ("ftp://example.org/a", False),
    ("example.org/a.raucb", False), ("https://me:secret@example.org/a.raucb", False), ("https://example.org", False)])
def test_the_address_in_the_settings(url: str, fine: bool) -> None:
    if fine:
        assert parse_settings({"update": {"url": url, "hour": 23}}).update.url == url
        return
    with pytest.raises(SettingsError, match=r"\[update\] url"):
        parse_settings({"update": {"url": url}})
