"""The units in deploy/: systemd's own judgement of them, without a systemd that runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.cli import main

ROOT = Path(__file__).resolve().parent.parent
UNIT, TEMPLATE, LATER = (ROOT / "deploy" / f"edge-audio{name}" for name in (".service", "@.service", "-254.conf"))
PAGE = ROOT / "deploy" / "edge-audio-page.service"
WORST = 20
"""Ten times the exposure that `systemd-analyze security` may name."""


@pytest.fixture
def analyze() -> str:
    """Path of systemd-analyze, which deploy/packages.sh installs with the group test."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze: this machine has no systemd")
    return found


@pytest.mark.big
@pytest.mark.parametrize("unit", [UNIT, TEMPLATE, PAGE], ids=lambda path: path.name)
def test_the_unit_is_shut_in(analyze: str, unit: Path) -> None:
    judged = subprocess.run([analyze, "security", "--offline=true", "--json=short", f"--threshold={WORST}", unit],
                            capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    exposed = {each["name"] for each in json.loads(judged.stdout) if each["set"] is False}
    assert "NoNewPrivileges=" not in exposed and len(exposed) > 3  # what a microphone, pins and a broker need


@pytest.mark.big
def test_a_unit_without_its_limits_would_be_refused(analyze: str, tmp_path: Path) -> None:
    open_one = tmp_path / UNIT.name
    open_one.write_text("".join(line for line in UNIT.read_text().splitlines(keepends=True)
                                if not line.startswith(("Protect", "Restrict", "SystemCall"))))
    judged = subprocess.run([analyze, "security", "--offline=true", f"--threshold={WORST}", open_one],
                            capture_output=True, text=True, check=False)
    assert judged.returncode != 0


@pytest.mark.big
@pytest.mark.parametrize("unit", [UNIT, TEMPLATE, PAGE], ids=lambda path: path.name)
def test_systemd_understands_every_line(analyze: str, unit: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("edge-audio")
    copy = tmp_path / unit.name.replace("@.", "@attic.")
    copy.write_text(unit.read_text().replace("/usr/bin/edge-audio", str(program)))
    judged = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)
    ours = [line for line in judged.stderr.splitlines() if copy.name in line or "edge-audio" in line]
    assert judged.returncode == 0 and not ours, judged.stderr


def test_the_page_is_shut_in_more_than_the_appliance() -> None:
    """No device, no sound, no pin; the same user, who alone may open the watch socket; and never in the appliance's way."""
    ours, theirs = PAGE.read_text().splitlines(), UNIT.read_text().splitlines()
    assert {"PrivateDevices=yes", "DevicePolicy=closed", "User=edge-audio", "UMask=0077"} <= set(ours)
    assert not any(line.startswith(("DeviceAllow", "SupplementaryGroups", "LoadCredential")) for line in ours)
    strict = ("Protect", "Restrict", "Private", "SystemCall", "Capability", "NoNew", "Lock", "MemoryDeny", "Remove")
    limits = {line for line in theirs if line.startswith(strict) and not line.startswith("Restart")}
    assert limits <= set(ours) and len(limits) > 20
    assert not any("edge-audio-page" in line for line in theirs)
    assert not any(line.startswith(("Requires", "BindsTo", "PartOf")) for line in ours)


def test_a_lesson_that_takes_too_much_does_not_take_the_page_with_it() -> None:
    """What children of the page take is stated in deploy/docs/page.md."""
    told = dict(line.split("=", 1) for line in PAGE.read_text().splitlines() if "=" in line and not line.startswith("#"))
    assert told["OOMPolicy"] == "continue" and int(told["MemoryMax"].removesuffix("M")) >= 300
    assert f"with {told['MemoryMax'].removesuffix('M')} MB at most" in (ROOT / "deploy" / "docs" / "page.md").read_text()


def test_the_template_differs_from_the_unit_in_its_name_only() -> None:
    def lines(unit: Path) -> list[str]:
        return unit.read_text().splitlines()[1:]

    there = [line.replace("edge-audio/%i.toml", "edge-audio/edge-audio.toml").replace("edge-audio-%i", "edge-audio")
             .replace("edge-audio %i,", "edge-audio,") for line in lines(TEMPLATE)]
    assert there == lines(UNIT) and lines(TEMPLATE) != lines(UNIT)


def test_the_processor_can_be_read() -> None:
    """ProcSubset=pid hides /proc/cpuinfo: XNNPACK then takes no operator on ARM, without a word."""
    set_lines, pages = ([line for line in unit.read_text().splitlines() if not line.startswith("#")]
                        for unit in (UNIT, PAGE))
    assert not any(line.startswith("ProcSubset") for line in (*set_lines, *pages))  # lessons on the page open the model too
    later = LATER.read_text().splitlines()
    assert "Type=notify" in set_lines and "Type=notify-reload" in later and "ExecReload=" in later


def test_sound_is_there_before_the_unit_allows_its_devices() -> None:
    """systemd looks a group of devices up when it starts the unit: one that no driver has registered by then is left out."""
    units = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if line.startswith(("Wants=", "After=")))
    assert "DeviceAllow=char-alsa rw" in UNIT.read_text().splitlines()
    assert all("modprobe@snd.service" in names.split() for names in units.values()) and len(units) == 2


def test_what_runs_after_the_end_takes_the_pins_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As ExecStopPost has it: no model is opened and no microphone, even where they are broken."""
    (line,) = [line for line in UNIT.read_text().splitlines() if line.startswith("ExecStopPost=-/usr/bin/edge-audio ")]
    settings = tmp_path / "edge-audio.toml"
    settings.write_text('[model]\nname = "gone"\n[source]\nkind = "file"\npath = "/nowhere"\n'
                        '[[pin]]\npin = "27"\ntarget = "hand_clap"\nfactory = "simulated"\n')
    words = [str(settings) if word.endswith(".toml") else word for word in line.split()[1:]]
    assert main([*words, "--format", "json"]) == 0
    (told,) = capsys.readouterr().out.splitlines()
    assert json.loads(told) == {"part": "pins", "ok": True, "text": "27 pulse on hand_clap", "advice": ""}
