"""What is wrong with a setting and is only found when the setting is used names file, table and key all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main

BROKER = "[mqtt]\nhost = \"127.0.0.1\"\n"


@pytest.mark.parametrize(("settings", "words"), [
    (f"{BROKER}prefix = \"a/b\"", "[mqtt] prefix: found 'a/b'; wanted a name without '/'"),
    (f"{BROKER}discovery_prefix = \"home/#\"", "[mqtt] discovery_prefix: found '#'; wanted a name without '/'"),
    (f"{BROKER}user = \"joe\"\npassword_file = \"nowhere\"", "[mqtt] password_file nowhere: found no such file"),
    (f"{BROKER}tls = true\ntls_ca_file = \"nowhere\"", "[mqtt] tls_ca_file nowhere: found no such file"),
    ("[[target]]\nname = \"clap\"\nlabels = [\"hand_clapp\"]", "[[target]] clap labels: found 'hand_clapp'"),
    ("[model]\nhop_seconds = 0.123", "[model] hop_seconds: found 0.123"),
])
def test_a_late_error_names_file_table_and_key(settings: str, words: str, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    """They said `mqtt.prefix: found 'a/b'`, and not in which file."""
    file = tmp_path / "my.toml"
    file.write_text(f"{settings}\n")
    assert main(["run", "--config", str(file), "--state-dir", str(tmp_path / "state")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"edge-audio: {file}: {words}")


def test_what_is_no_settings_value_names_no_settings_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.toml"
    file.write_text("")
    assert main(["classify", "--config", str(file), "--hop", "7", "none.wav"]) == 2
    assert capsys.readouterr().err.startswith("edge-audio: --hop: found 7.0")
