"""deploy/install.sh in a fresh Debian: installs, installs again, works as the service's user, offline too, and goes away.

`make install-test` makes the root (deploy/install-root.sh). No systemd runs in it: what it would start is started by hand,
as the unit's own line says.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.debian_root import SETTINGS, Root, comes_up, fresh_root

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
LEFT = ("/opt/edge-audio", "/etc/edge-audio", "/var/lib/edge-audio", "/usr/local/bin/edge-audio",
        "/etc/udev/rules.d/60-edge-audio.rules", "/etc/systemd/system/edge-audio.service",
        "/etc/systemd/system/edge-audio@.service", "/etc/systemd/system/edge-audio.service.d",
        "/etc/systemd/system/edge-audio-page.service",
        "/etc/systemd/system/multi-user.target.wants/edge-audio-page.service",
        "/etc/systemd/system/multi-user.target.wants/edge-audio.service")


@pytest.fixture(scope="module")
def root() -> Root:
    """A fresh Debian with this checkout in /src."""
    fresh = fresh_root()
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (fresh / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, fresh / "src" / name, follow_symlinks=False)
    return fresh


def test_a_fresh_debian_gets_the_service(root: Root) -> None:
    said = root.run("/src/deploy/install.sh")
    assert "edge-audio is installed" in said and "arecord" not in (root / SETTINGS).read_text()
    assert not (root / "/src/build").exists() and not (root / "/src/edge_audio.egg-info").exists()
    assert (root / "/etc/systemd/system/multi-user.target.wants/edge-audio.service").is_symlink()
    assert (root / "/etc/edge-audio/credentials/mqtt-password").stat().st_mode & 0o777 == 0o600
    later = int(root.run("systemctl", "--version").split()[1]) >= 254
    assert (root / "/etc/systemd/system/edge-audio.service.d/254.conf").exists() == later
    judged = root.run("systemd-analyze", "verify", "/etc/systemd/system/edge-audio.service")
    assert "edge-audio.service:" not in judged, judged


def test_the_page_comes_along_and_waits_for_who_enables_it(root: Root) -> None:
    unit = "/etc/systemd/system/edge-audio-page.service"
    assert "ExecStart=/opt/edge-audio/bin/edge-audio page " in (root / unit).read_text()
    assert not (root / "/etc/systemd/system/multi-user.target.wants/edge-audio-page.service").is_symlink()
    judged = root.run("systemd-analyze", "verify", unit)
    assert "edge-audio-page.service:" not in judged, judged
    root.run("systemctl", "enable", "edge-audio-page")
    page = ("edge-audio", "page", "--bind", "0.0.0.0", "--state-dir", "/tmp/state")
    assert "found no password" in root.run(*page, code=2)  # and not: found no aiohttp


def test_root_s_command_leaves_nothing_to_root(root: Root) -> None:
    """What `sudo edge-audio teach` kept once could not be read by the service."""
    root.run("install", "-d", "-m", "700", "-o", "edge-audio", "-g", "edge-audio", "/var/lib/edge-audio")
    root.run("touch", "/var/lib/edge-audio/taught")
    root.run("edge-audio", "check", "--config", SETTINGS, "--only", "model")
    assert root.run("stat", "-c", "%U:%G", "/var/lib/edge-audio/taught").strip() == "edge-audio:edge-audio"


def test_the_unit_s_own_line_comes_up_as_the_service_s_user(root: Root) -> None:
    """PyAudio is Debian's; there is no sound card, so the service is ready without, and says so."""
    lines = comes_up(root, "/etc/systemd/system/edge-audio.service")
    assert any("operators in 1 piece" in line for line in lines), lines


def test_a_second_time_keeps_what_is_the_owner_s(root: Root) -> None:
    settings = root / SETTINGS
    settings.write_text(settings.read_text() + "# mine\n")
    (root / "/etc/edge-audio/credentials/mqtt-password").write_text("secret\n")
    root.run("/src/deploy/install.sh")
    assert settings.read_text().endswith("# mine\n")
    assert (root / "/etc/edge-audio/credentials/mqtt-password").read_text() == "secret\n"


def test_uninstalling_keeps_the_owner_s_and_purging_keeps_nothing(root: Root) -> None:
    root.run("/src/deploy/install.sh", "--uninstall")
    kept = {path for path in LEFT if (root / path).exists() or (root / path).is_symlink()}
    assert kept == {"/etc/edge-audio", "/var/lib/edge-audio"}
    root.run("/src/deploy/install.sh", "--uninstall", "--purge")
    assert not [path for path in LEFT if (root / path).exists() or (root / path).is_symlink()]
    assert "no such user" in root.run("id", "edge-audio", code=1)


def test_without_network_wheels_beside_it_serve_and_without_pyaudio_arecord(root: Root) -> None:
    root.run("python3", "-m", "venv", "/maker")
    wheel = ("/maker/bin/pip", "wheel", "--quiet", "--wheel-dir", "/src/deploy/wheels")
    root.run(*wheel, "--no-deps", "/src")
    root.run(*wheel, "ai-edge-litert>=2.0.3", "numpy>=1.24", "paho-mqtt>=2.2,<3", "gpiozero>=2.0", "gpiod>=2.1")
    root.run("dpkg", "--remove", "python3-pyaudio")
    root.run("apt-get", "clean")
    shutil.rmtree(root / "/src/edge")  # nothing but the wheel can serve
    said = root.run("/src/deploy/install.sh", network=False)
    assert "going on without python3-pyaudio" in said
    assert "going on without the page" in said and not (root / "/etc/systemd/system/edge-audio-page.service").exists()
    assert 'command = ["arecord", ' in (root / SETTINGS).read_text()
    found = root.run("edge-audio", "check", "--config", SETTINGS, "--only", "model", "--only", "source", code=1)
    assert "ok     model" in found and "arecord" in found and "no such program" not in found


def test_what_is_no_option_is_refused(root: Root) -> None:
    assert "wanted nothing, --uninstall" in root.run("/src/deploy/install.sh", "--purge", code=2)
    assert "wanted root" in root.run("/src/deploy/install.sh", user="daemon", code=2)
