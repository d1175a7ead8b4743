"""deploy/debian and deploy/deb.sh, as far as they can be judged without building: `make deb-test` does the rest."""

from __future__ import annotations

import importlib.metadata
import os
import re
import runpy
import shutil
import subprocess
import sys
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


@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
def test_what_is_unpacked_is_what_the_program_requires(machine: str, python: str) -> None:
    """All but PyAudio, which is Debian's, and the runtime of 32-bit boards; and the page's libraries with theirs."""
    script = runpy.run_path(str(DEBIAN / "needs.py"))
    names = {re.split("[<>=;]", each)[0] for each in script["needs"](machine, python)}
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings["options"]["install_requires"] + settings["options.extras_require"]["page"]
    required = {re.split("[ <>=;]", line)[0] for line in lines.split("\n") if line}
    theirs = {re.split("[<;]", each)[0] for each in script["OF_THE_PAGE"]}
    theirs -= {"typing-extensions"} if python == "3.13" else set()
    assert names == required - {"pyaudio", "tflite-runtime"} | {"flatbuffers", "colorzero"} | theirs
    assert ("typing-extensions" in names) == (python == "3.11")
    assert "python3-pyaudio" in (DEBIAN / "control").read_text()


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_what_the_page_s_libraries_want_is_unpacked_and_what_is_not_is_seen(tmp_path: Path, python: str) -> None:
    """By what the libraries beside the one that is installed here say of themselves."""
    pytest.importorskip("aiohttp")
    script = runpy.run_path(str(DEBIAN / "needs.py"))
    names = {re.split("[<>=;]", each)[0].lower().replace("_", "-") for each in script["needs"]("aarch64", python)}
    for found in importlib.metadata.distributions():
        if found.metadata["Name"].lower().replace("_", "-") in names:
            info = Path(str(found.locate_file(""))) / f"{found.metadata['Name'].replace('-', '_')}-{found.version}.dist-info"
            (tmp_path / info.name).mkdir()
            shutil.copy(info / "METADATA", tmp_path / info.name)
    assert script["unmet"](tmp_path, "aarch64", python) == []
    for name in ("propcache", "yarl"):
        (gone,) = tmp_path.glob(f"{name}-*")
        gone.rename(tmp_path / "gone")
        missing = script["unmet"](tmp_path, "aarch64", python)
        assert missing and all(each.startswith(name) for each in missing)
        (tmp_path / "gone").rename(gone)
    (old,) = tmp_path.glob("multidict-*/METADATA")
    old.write_text(re.sub("^Version: .*", "Version: 4.0", old.read_text(), flags=re.MULTILINE))
    old.parent.rename(tmp_path / "multidict-4.0.dist-info")
    assert [each.partition("<")[0] for each in script["unmet"](tmp_path, "aarch64", python)] == ["multidict"]


@pytest.mark.big
@pytest.mark.parametrize("given", ["Anna", "Anna <anna>", "Anna <a@b> <c@d>", "a/b <a@b>"])
def test_a_maintainer_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    done = subprocess.run([DEPLOY / "deb.sh", "arm64", "trixie", tmp_path], capture_output=True, text=True, check=False,
                          env=os.environ | {"MAINTAINER": given, "PYTHON": sys.executable})
    assert done.returncode == 2 and f"found MAINTAINER '{given}'; wanted 'Name <name@host>'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_the_page_s_unit_is_taken_along(script: str) -> None:
    """Enabled where somebody enabled it; started by nobody but its owner."""
    lines = [line for line in (DEBIAN / script).read_text().splitlines() if "edge-audio-page.service" in line]
    assert lines and not any(word in line for line in lines for word in (" start ", " restart "))


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
