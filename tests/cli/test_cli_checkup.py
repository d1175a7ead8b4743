"""`check` speaks of the targets that `run` would hear, with what they were taught and corrected by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli.checkup.checkup import Finding, check
from edge.cli.demonstration.broker import PrivateBroker
from edge.control.commanded import Commanded, load_commanded, save_commanded
from edge.control.loading import model_folder
from edge.errors import SettingsError, SinkError
from edge.model.foreseen import Foreseen
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtCorrection, TaughtSound
from edge.model.taught_file import save_taught
from edge.settings import (
    CommandSettings,
    JournalSettings,
    LogSettings,
    MqttSettings,
    Settings,
    SourceSettings,
    TargetSettings,
    WatchSettings,
)
from tests.cli.test_cli import write_wav
from tests.fakes import FakeSource
from tests.sinks.certificates import Authority


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    hum = np.random.default_rng(1).normal(0, 60, 48_000).astype(np.int16)
    source = SourceSettings(kind="file", path=str(write_wav(tmp_path / "room.wav", hum)), paced=False)
    return Settings(log=LogSettings(events=""), source=source)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def found(settings: Settings, state: Path, part: str) -> list[Finding]:
    return [finding for finding in check(settings, state) if finding.part == part]


def test_a_taught_sound_and_a_correction_are_seen_as_they_serve(settings: Settings, tmp_path: Path) -> None:
    """`check` once resolved targets without what was taught, and said nothing of a correction."""
    empty = Taught.nothing(load_manifest(model_folder("starter", tmp_path)))
    row = np.zeros(empty.columns, np.float32)
    sound = TaughtSound(
        "kettle", row, -0.5, 1.5, 0.25, 0.61, 0.3, True, np.zeros((6, empty.columns), np.int8),
        np.arange(6, dtype=np.uint8), np.zeros(6, np.uint8), 2.0, Foreseen(5, 6, 1.5, 4.0), "2026-11-22T12:00:00+00:00")
    save_taught(tmp_path, replace(empty.with_sound(sound, "taught kettle"),
                                  corrections={"siren": TaughtCorrection(row[None], np.zeros(1, np.float32))}))
    served = {target.name: target for target in build(settings, tmp_path, source=FakeSource([])).listener.targets.sounds}
    assert served["siren"].correction is not None and served["kettle"].scale == 1.5
    (calibration,) = found(settings, tmp_path, "calibration")
    assert "kettle (taught)" in calibration.text and "siren (shipped)" in calibration.text
    targets = {finding.text.partition(":")[0]: finding.text for finding in found(settings, tmp_path, "target")}
    assert targets.keys() == served.keys() | {"smoke_alarm", "co_alarm"}
    assert targets["smoke_alarm"] == "smoke_alarm: starts at 0.500: the rhythm T3 of a tone, whatever the model"
    assert targets["kettle"] == "kettle: starts at 0.610, ends under 0.300: kettle"
    assert targets["siren"].endswith("siren, corrected by feedback")
    assert not targets["typing"].endswith("corrected by feedback")


def test_patterns_and_loudness_are_named_too(settings: Settings, tmp_path: Path) -> None:
    targets = (TargetSettings(name="double_clap", pattern_of="hand_clap"), TargetSettings(name="loud", louder_db=20.0))
    texts = [finding.text for finding in found(replace(settings, target=targets), tmp_path, "target")]
    assert texts[0].startswith("hand_clap: ")
    assert texts[1:] == ["double_clap: a pattern over hand_clap, 2 events", "loud: 20 dB over the room's noise"]


def test_check_says_that_sound_is_kept(settings: Settings, tmp_path: Path) -> None:
    assert all("keeps the sound" not in finding.text for finding in found(settings, tmp_path, "journal"))
    _, finding = found(replace(settings, journal=JournalSettings(sound=True)), tmp_path, "journal")
    assert finding.ok and str(tmp_path / "sounds") in finding.text


def test_what_was_taught_and_cannot_be_read_is_told_with_the_way_back(settings: Settings, tmp_path: Path) -> None:
    """`model verify` finds nothing wrong then: what was taught is no file of the model."""
    (tmp_path / "taught" / "starter").mkdir(parents=True)
    (tmp_path / "taught" / "starter" / "000001.npz").write_bytes(b"broken")
    model, = found(settings, tmp_path, "model")
    assert not model.ok and "000001.npz" in model.text and "teach --undo" in model.advice


@pytest.mark.big
def test_the_broker_is_asked_and_its_security_said(settings: Settings, tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    with PrivateBroker(user="joe", password="hunter2", extra=f"certfile {certificate}\nkeyfile {key}") as broker:
        mqtt = replace(broker.settings(protocol="auto"), tls=True, tls_ca_file=str(authority.ca))
        told = list(check(replace(settings, mqtt=mqtt), tmp_path))
        assert "hunter2" not in repr(told)
        assert [finding for finding in told if finding.part in ("secrets", "broker", "tls")] == [
            Finding("tls", True, f"127.0.0.1 must prove who it is, by {authority.ca}"),
            Finding("secrets", True, f"[mqtt] password_file {mqtt.password_file}, for nobody else to read"),
            Finding("broker", True, f"127.0.0.1:{broker.port} took us in with MQTT 5 over TLSv1.3")]
        (insecure,) = found(replace(settings, mqtt=replace(mqtt, tls_insecure=True, tls_ca_file="")), tmp_path, "tls")
        assert not insecure.ok and "any certificate is believed" in insecure.text and "tls_ca_file" in insecure.advice
        Path(mqtt.password_file).chmod(0o644)
        (refused,) = found(replace(settings, mqtt=mqtt), tmp_path, "secrets")
        assert not refused.ok and "found mode 0644, by which others can read" in refused.text


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("no.invalid", True)])
def test_a_password_in_the_clear_is_said(settings: Settings, tmp_path: Path, host: str, warned: bool) -> None:
    mqtt = MqttSettings(host=host, port=1, user="joe")
    told = found(replace(settings, mqtt=mqtt), tmp_path, "tls")
    assert ["off: whoever is on the way" in finding.text for finding in told] == [True] * warned


def test_a_credential_of_the_service_is_not_looked_at_by_others_and_is_no_problem(
        settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner's shell, and the page, are handed no credentials: `check` called a right password missing there."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    mqtt = MqttSettings(host="127.0.0.1", port=1, user="joe", password_credential="mqtt-password")
    seen = list(check(replace(settings, mqtt=mqtt), tmp_path, ["broker"]))
    assert [(finding.part, finding.ok) for finding in seen] == [("secrets", True), ("broker", True)]
    assert seen[0].text == (
        "not looked at: [mqtt] password_credential mqtt-password; systemd hands credentials to the service alone "
        "(LoadCredential= in its unit)")
    assert "127.0.0.1:1 was not asked" in seen[1].text and "--only service" in seen[1].text
    for wrong, words in ((replace(mqtt, user=""), "[mqtt] user: found nothing"),
                         (replace(mqtt, password_credential="../x"), "found '../x'")):
        (secrets,) = found(replace(settings, mqtt=wrong), tmp_path, "secrets")
        assert not secrets.ok and words in secrets.text, "what can be seen is looked at"


@pytest.mark.big
def test_a_credential_and_a_key_are_named_and_one_that_is_missing_is_said(
        settings: Settings, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = authority.sign("kitchen")
    mqtt = MqttSettings(host="127.0.0.1", port=1, user="joe", password_credential="mqtt-password", tls=True,
                        tls_certificate_file=str(certificate), tls_key_file=str(key))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    key_seen, unseen = found(replace(settings, mqtt=mqtt), tmp_path, "secrets")
    assert key_seen.ok and key_seen.text == f"[mqtt] tls_key_file {key}, for nobody else to read"
    assert unseen.ok and unseen.text.startswith("not looked at: [mqtt] password_credential mqtt-password;")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (missing,) = found(replace(settings, mqtt=mqtt), tmp_path, "secrets")
    assert not missing.ok and "mqtt-password: found no such file or directory" in missing.text and missing.advice
    (tmp_path / "mqtt-password").write_text("hunter2\n")
    (there,) = found(replace(settings, mqtt=mqtt), tmp_path, "secrets")
    assert there.ok
    assert there.text == f"[mqtt] password_credential mqtt-password and [mqtt] tls_key_file {key}, for nobody else to read"


def test_a_discovery_prefix_that_is_no_topic_is_found(settings: Settings, tmp_path: Path) -> None:
    mqtt = MqttSettings(host="127.0.0.1", port=1, discovery_prefix="home/#")
    (finding,) = found(replace(settings, mqtt=mqtt), tmp_path, "broker")
    assert not finding.ok and finding.text.startswith("[mqtt] discovery_prefix: found '#'")
    with pytest.raises(SettingsError, match=r"\[mqtt\] discovery_prefix"):
        build(replace(settings, mqtt=mqtt), tmp_path, source=FakeSource([]))


def test_what_was_commanded_is_said(settings: Settings, tmp_path: Path) -> None:
    (plain,) = found(settings, tmp_path, "commands")
    assert plain.ok and plain.text == "none allowed"
    save_commanded(tmp_path, Commanded(True, {"starter": {"hand_clap": 0.75}, "yamnet": {"typing": 0.5}}))
    alone = replace(settings, watch=WatchSettings(enabled=False))
    (mute,) = found(replace(alone, command=CommandSettings(("threshold",))), tmp_path, "commands")
    assert mute.ok and mute.text == "allowed: threshold, but no broker brings them"
    (mute,) = found(settings, tmp_path, "commands")
    assert not mute.ok and mute.text == "none allowed; muted: nothing is heard until it is unmuted"
    allowed = replace(alone, command=CommandSettings(("mute", "threshold")))
    (mute,) = found(allowed, tmp_path, "commands")
    assert not mute.ok and "muted" in mute.text and "unmute" in mute.advice
    targets = {finding.text.partition(":")[0]: finding.text for finding in found(allowed, tmp_path, "target")}
    assert "starts at 0.750 (by a command), ends under 0.375" in targets["hand_clap"]
    assert "by a command" not in targets["typing"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "muted": 1, "thresholds": {}}',
                                  '{"schema": 1, "thresholds": {"starter": {"clap": 2}}}', "[" * 100_000])
def test_a_file_of_commands_that_is_none_is_said_and_counts_as_nothing(text: str, tmp_path: Path,
                                                                       caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "commanded.json").write_text(text)
    assert load_commanded(tmp_path, ("mute", "threshold")) == Commanded()
    assert "commanded.json cannot be read" in caplog.text


def test_what_was_commanded_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    said = Commanded(True).with_threshold("starter", "clap", 0.5).with_threshold("starter", "typing", 0.25)
    save_commanded(tmp_path / "new", said)
    assert load_commanded(tmp_path / "new", ("mute", "threshold")) == said
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["commanded.json"]
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"commanded\.json"):
        save_commanded(tmp_path / "file", said)
    assert said.with_threshold("starter", "clap", None).of("starter") == {"typing": 0.25}
