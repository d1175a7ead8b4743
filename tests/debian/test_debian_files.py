"""deploy/debian and deploy/deb.sh, as far as they can be judged without building: `make deb-test` does the rest."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from edge.cli import COMMANDS
from edge.settings_file import load_settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DEBIAN = DEPLOY / "debian"


@pytest.mark.big
@pytest.mark.parametrize("words", [(), ("armhf", "trixie", "/tmp"), ("arm64", "sid", "/tmp"),
                                   ("arm64", "trixie", "/tmp", "0")], ids=" ".join)
def test_what_cannot_be_built_is_refused(words: tuple[str, ...]) -> None:
    done = subprocess.run([DEPLOY / "deb.sh", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"found '{' '.join(words)}'; wanted arm64|amd64 trixie|bookworm FOLDER [REVISION]" in done.stderr


@pytest.mark.big
@pytest.mark.parametrize("script", ["preinst", "postinst", "prerm", "postrm"])
def test_a_maintainer_script_parses_and_may_be_run(script: str) -> None:
    subprocess.run(["sh", "-n", DEBIAN / script], check=True)
    assert (DEBIAN / script).stat().st_mode & 0o111
    assert "set -e\n" in (DEBIAN / script).read_text()


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_what_is_unpacked_is_what_the_program_requires(machine: str) -> None:
    """All but PyAudio, which is Debian's, and the runtime of 32-bit boards."""
    needs = runpy.run_path(str(DEBIAN / "needs.py"))["needs"](machine, "3.13")
    names = {re.split("[<>=]", each)[0] for each in needs}
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    required = {re.split("[ <>=;]", line)[0] for line in settings["options"]["install_requires"].split("\n") if line}
    assert names == required - {"pyaudio", "tflite-runtime"} | {"flatbuffers", "colorzero"}
    assert "python3-pyaudio" in (DEBIAN / "control").read_text()


def test_the_settings_file_is_one_and_names_the_password_s_file() -> None:
    settings = load_settings(DEBIAN / "edge-audio.toml")
    assert [target.name for target in settings.target] == ["hand_clap"]
    told = re.sub("^# ?(?=[a-z\\[])", "", (DEBIAN / "edge-audio.toml").read_text().partition("restart edge-audio\n")[2],
                  flags=re.MULTILINE)
    unit = (DEPLOY / "edge-audio.service").read_text()
    assert f"LoadCredential={tomllib.loads(told)['mqtt']['password_credential']}:/etc/edge-audio/credentials/" in unit


def test_the_command_is_the_unit_s(tmp_path: Path) -> None:
    """With its two lines changed as deploy/install.sh does, it is the program."""
    for unit in (DEPLOY / "edge-audio.service", DEPLOY / "edge-audio@.service"):
        assert len(re.findall("^Exec(?:Start|StopPost)=-?/usr/bin/edge-audio ", unit.read_text(), re.MULTILINE)) == 2
    first, *rest = (DEBIAN / "edge-audio").read_text().splitlines(keepends=True)
    assert first == "#!/usr/bin/python3 -sP\n"
    assert [line for line in rest if line.startswith("sys.path.insert")] == ['sys.path.insert(0, "/usr/lib/edge-audio")\n']


@pytest.mark.big
def test_the_manual_page_has_every_command() -> None:
    page = runpy.run_path(str(DEBIAN / "manual.py"))["page"]("2026-11-29")
    listed = re.findall(r"^\.B ([a-z-]+)$", page.partition(".SH COMMANDS")[2], re.MULTILINE)
    assert listed == list(COMMANDS)
    named = (DEBIAN / "edge-audio.toml").read_text() + (DEPLOY / "edge-audio.service").read_text()
    for path in re.findall(r"^\.I (/etc\S+)$", page, re.MULTILINE):
        assert path.replace("\\-", "-") in named
    if shutil.which("groff") is not None:
        judged = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8"], input=page, capture_output=True, text=True,
                                check=False)
        assert judged.returncode == 0 and not judged.stderr


def test_every_override_has_its_reason() -> None:
    lines = (DEBIAN / "lintian-overrides").read_text().splitlines()
    assert lines and all(reason.startswith("# ") and tag.startswith("edge-audio: ")
                         for reason, tag in zip(lines[::2], lines[1::2], strict=True))
