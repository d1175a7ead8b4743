"""The Debian package in a fresh root: installs with what it needs, works, is upgraded, removed and purged. `make deb-test`.

The order of the tests is a life of the package. No systemd runs; what it would start is started by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from edge import classify, load_model
from tests.debian_root import SETTINGS, Root, comes_up, fresh_root

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UNITS = ("edge-audio.service", "edge-audio@.service", "edge-audio-page.service")
PASSWORD = "/etc/edge-audio/credentials/mqtt-password"
STARTS = "/etc/systemd/system/multi-user.target.wants/edge-audio.service"
PAGE_STARTS = "/etc/systemd/system/multi-user.target.wants/edge-audio-page.service"
INSTALLS = ("apt-get", "install", "-y", "--no-install-recommends")


def given_packages(root: Root) -> list[str]:
    """Both versions for this root, copied into it: their paths in there, the older one first. Skips where none was built."""
    named = os.environ.get("EDGE_AUDIO_DEBS")
    if named is None:
        pytest.skip("EDGE_AUDIO_DEBS: no folder of packages; make deb-test makes one")
    release = re.search(r'^VERSION_ID="(\d+)"$', (root / "/etc/os-release").read_text(), re.MULTILINE)
    assert release
    (root / "/packages").mkdir(exist_ok=True)
    for path in Path(named).glob(f"*~deb{release[1]}_{root.run('dpkg', '--print-architecture').strip()}.deb"):
        shutil.copy(path, root / "/packages")
    found = sorted(f"/packages/{path.name}" for path in (root / "/packages").iterdir())
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def root() -> Root:
    """A fresh Debian, with mosquitto for the demo."""
    fresh = fresh_root()
    fresh.run("apt-get", "update")
    fresh.run(*INSTALLS, "mosquitto")
    return fresh


@pytest.fixture(scope="module")
def packages(root: Root) -> list[str]:
    return given_packages(root)


def test_beside_the_installer_s_it_is_refused(root: Root, packages: list[str]) -> None:
    theirs = [root / "/opt/edge-audio/bin/edge-audio", root / "/etc/systemd/system/edge-audio.service"]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "wanted it uninstalled: deploy/install.sh --uninstall" in root.run("dpkg", "--unpack", packages[0], code=1)
    shutil.rmtree(root / "/opt/edge-audio")
    theirs[1].unlink()
    assert not (root / "/usr/lib/edge-audio").exists()


def test_apt_installs_it_with_what_it_needs(root: Root, packages: list[str]) -> None:
    root.run(*INSTALLS, packages[0])
    assert root.run("edge-audio", "--version").startswith("edge-audio ")
    assert (root / STARTS).is_symlink() and not (root / PAGE_STARTS).is_symlink()
    for unit in UNITS:
        assert (root / "/usr/lib/systemd/system" / unit).read_text() == (ROOT / "deploy" / unit).read_text()
        later = int(root.run("systemctl", "--version").split()[1]) >= 254 and unit != UNITS[2]
        assert (root / "/usr/lib/systemd/system" / f"{unit}.d/254.conf").exists() == later
    for unit in (UNITS[0], UNITS[2]):
        judged = root.run("systemd-analyze", "verify", f"/usr/lib/systemd/system/{unit}")
        assert f"{unit}:" not in judged, judged
    assert "/usr/sbin/nologin" in root.run("getent", "passwd", "edge-audio")
    assert root.run("getent", "group", "gpio")
    assert root.run("stat", "-c", "%U %a", PASSWORD).split() == ["root", "600"]
    assert root.run("stat", "-c", "%U %a", "/etc/edge-audio/credentials").split() == ["root", "700"]


def test_the_demo_hears_what_is_expected(root: Root) -> None:
    assert "as expected" in root.run("edge-audio", "demo", "--fast")


def test_scores_and_events_are_those_of_this_machine(root: Root) -> None:
    scene = ROOT / "models" / "demo" / "claps.wav"
    theirs = json.loads(root.run("edge-audio", "classify", "--format", "json", "--top", "0",
                                 "/usr/lib/edge-audio/edge_models/demo/claps.wav").splitlines()[0])
    ours = classify(load_model("starter"), scene)
    scores = np.array([[patch["scores"][label] for label in ours.labels] for patch in theirs["patches"]])
    assert scores.shape == ours.scores.shape and np.abs(scores - ours.scores).max() < 0.03
    assert [(event["target"], event["start_seconds"]) for event in theirs["events"]] == [
        (event.target, round(event.start / 16_000, 3)) for event in ours.events]


def test_model_and_delegate_are_well_and_the_missing_microphone_is_all_that_is_wrong(root: Root) -> None:
    found = root.run("edge-audio", "check", "--config", SETTINGS, code=1)
    wrong = [line.split()[1] for line in found.splitlines() if line.startswith("WRONG")]
    assert wrong == ["microphone"] and "XNNPACK: 17 of 17 operators" in found


def test_pins_are_driven_by_our_factory(root: Root) -> None:
    """gpiozero finds it as an entry point of the installed edge-audio; this root has no chip."""
    asked = ('import sys; sys.path.insert(0, "/usr/lib/edge-audio"); from importlib.metadata import entry_points; '
             '(found,) = entry_points(group="gpiozero_pin_factories", name="gpiod"); print(found.load())')
    assert "edge.sinks.pins.factory.GpiodFactory" in root.run("python3", "-sP", "-c", asked)


def test_a_child_of_the_command_finds_the_program(root: Root) -> None:
    told = json.loads(root.run("edge-audio", "bench", "--format", "json", "--seconds", "3", "--rounds", "1").splitlines()[0])
    assert told["peak_rss_bytes"] > 10_000_000


def test_the_unit_s_own_line_comes_up_as_the_service_s_user(root: Root) -> None:
    root.run("install", "-d", "-m", "700", "-o", "edge-audio", "-g", "edge-audio", "/var/lib/edge-audio")
    lines = comes_up(root, "/usr/lib/systemd/system/edge-audio.service")
    assert any("operators in 1 piece" in line for line in lines), lines


def test_the_page_s_own_line_serves_it_with_the_password_that_root_set(root: Root) -> None:
    """With the libraries of the package, as the service's user; on another address only with a password."""
    line = (root / f"/usr/lib/systemd/system/{UNITS[2]}").read_text().partition("ExecStart=")[2].partition("\n")[0].split()
    (root / SETTINGS).write_text((root / SETTINGS).read_text() + '[page]\nbind = "0.0.0.0"\nport = 0\n')
    where = ("--state-dir", "/var/lib/edge-audio")
    assert "found no password; wanted" in root.run(*line, *where, code=2, user="edge-audio")
    done = subprocess.run(root.command(*line, *where, "--set-password"), input="correct horse\n", text=True, check=False,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    kept = ("page-password.json", "page-metrics-token")
    assert {root.run("stat", "-c", "%U %a", f"/var/lib/edge-audio/{name}").strip() for name in kept} == {"edge-audio 600"}
    with subprocess.Popen(root.command(*line, *where, user="edge-audio"), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            port = next(found[1] for told in process.stderr if (found := re.search(r"0\.0\.0\.0:(\d+)/", told)))
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/session", timeout=120) as answer:
                told = json.load(answer)
            assert told["password"] is True and told["logged_in"] is False and told["csrf"] is None
        finally:
            process.terminate()


def test_root_s_command_leaves_nothing_to_root_and_compiles_nothing_anew(root: Root) -> None:
    root.run("touch", "/var/lib/edge-audio/taught")
    before = sorted((root / "/usr/lib/edge-audio").rglob("*.pyc"))
    root.run("edge-audio", "check", "--config", SETTINGS, "--only", "model")
    assert root.run("stat", "-c", "%U:%G", "/var/lib/edge-audio/taught").strip() == "edge-audio:edge-audio"
    assert len(before) > 300 and sorted((root / "/usr/lib/edge-audio").rglob("*.pyc")) == before


def test_an_upgrade_keeps_what_is_the_owner_s(root: Root, packages: list[str]) -> None:
    settings = (root / SETTINGS).read_text() + "# mine\n"
    (root / SETTINGS).write_text(settings)
    (root / PASSWORD).write_text("secret\n")
    root.run("systemctl", "disable", "edge-audio")
    root.run("systemctl", "enable", "edge-audio-page")
    root.run(*INSTALLS, packages[1])
    assert root.run("dpkg-query", "-W", "-f", "${Version}", "edge-audio").split("-")[1].startswith("2~")
    assert (root / SETTINGS).read_text() == settings and (root / PASSWORD).read_text() == "secret\n"
    assert (root / "/var/lib/edge-audio/taught").exists()
    assert not (root / STARTS).is_symlink() and (root / PAGE_STARTS).is_symlink()
    root.run("systemctl", "enable", "edge-audio")
    assert "ok     model" in root.run("edge-audio", "check", "--config", SETTINGS, "--only", "model")


def test_an_older_version_is_taken_back(root: Root, packages: list[str]) -> None:
    root.run("dpkg", "--install", packages[0])
    assert (root / SETTINGS).read_text().endswith("# mine\n")


def test_what_is_removed_leaves_the_owner_s(root: Root) -> None:
    (root / "/usr/lib/edge-audio/edge/__pycache__/mine.cpython-300.pyc").touch()  # of another Python, by root
    root.run("apt-get", "remove", "-y", "edge-audio")
    assert not (root / "/usr/lib/edge-audio").exists() and not (root / "/usr/bin/edge-audio").exists()
    assert (root / SETTINGS).read_text().endswith("# mine\n") and (root / "/var/lib/edge-audio/taught").exists()
    assert (root / PASSWORD).read_text() == "secret\n"


def test_what_is_purged_leaves_nothing(root: Root) -> None:
    (root / "/etc/edge-audio/attic.toml").touch()
    (root / "/var/lib/edge-audio-attic").mkdir()
    root.run("apt-get", "purge", "-y", "edge-audio")
    left = root.run("find", "/", "-xdev", "-name", "*edge-audio*", "-not", "-path", "/packages/*").split()
    assert not left
    accounts = [root / "/etc" / name for name in ("passwd", "group", "shadow", "gshadow")]
    assert not [path for path in accounts if "edge-audio" in path.read_text()]
    assert not root.run("dpkg", "--audit")
