"""What an unprivileged user may not read or write is named, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import ROOT, write_wav
from tests.fakes import tone

pytestmark = pytest.mark.big

NOBODY = 65_534

AS_NOBODY = f"""
import importlib, os, pkgutil, sys
import edge
from edge.cli import main
for module in pkgutil.walk_packages(edge.__path__, "edge."):   # while it may read them
    if module.name not in ("edge.__main__", "edge.workshop.plot"):
        importlib.import_module(module.name)
free, *arguments = sys.argv[1:]
main(["run", "--file", free, "--fast"])
os.seteuid({NOBODY})
sys.exit(main(arguments))
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder that anybody may enter: pytest's own is for its user only."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def program() -> Iterator[Path]:
    """A copy of the program that anybody may read: the clone may lie in root's own folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        shutil.copytree(ROOT / "edge", folder / "edge", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("starter", "impulse"):
            shutil.copytree(ROOT / "models" / name, folder / "models" / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "setup.cfg", folder)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize(("arguments", "words"), [
    (["classify", "{folder}/locked.wav"], ["locked.wav", "ermission denied"]),
    (["run", "--config", "{folder}/locked.toml"], ["locked.toml", "ermission denied"]),
    (["run", "--file", "{folder}/free.wav", "--fast", "--config", "{folder}/log.toml"], ["locked.log", "ermission denied"]),
    (["model", "install", "{folder}/free.wav", "--state-dir", "{folder}/locked"], ["locked", "ermission denied"]),
    (["model", "list", "--state-dir", "{folder}/locked"], ["locked", "ermission denied"]),
])
def test_no_permission_is_one_line_that_names_the_thing(arguments: list[str], words: list[str], tmp_path: Path,
                                                        program: Path) -> None:
    free = write_wav(tmp_path / "free.wav", tone(1.0))
    write_wav(tmp_path / "locked.wav", tone(1.0)).chmod(0o600)
    for name in ("locked.toml", "locked.log"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "log.toml").write_text(f'[log]\nevents = "{tmp_path}/locked.log"\n')
    (tmp_path / "locked").mkdir(mode=0o700)
    before = sorted(tmp_path.rglob("*"))
    given = [part.format(folder=tmp_path) for part in arguments]
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(free), *given],
                          capture_output=True, text=True, cwd=program, timeout=120, check=False,
                          env={**os.environ, "PYTHONPATH": str(program), "PYTHONDONTWRITEBYTECODE": "1",
                               "EDGE_AUDIO_STATE": str(tmp_path / "state")})
    lines = [line for line in done.stderr.splitlines() if line.startswith("edge-audio: ")]
    assert len(lines) == 1, done.stderr
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]
    assert sorted(tmp_path.rglob("*")) == before
