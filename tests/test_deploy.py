"""The scripts in deploy/: they parse, and they touch nothing that is not theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "deploy").rglob("*.sh"))


@pytest.mark.parametrize("script", [*SCRIPTS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_a_script_parses_and_may_be_run(script: Path) -> None:
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("script", ["arm-root.sh", "mediapipe.sh", "home-assistant-root.sh"])
def test_nothing_is_made_in_a_folder_of_somebody_else(tmp_path: Path, script: str) -> None:
    """arm-root.sh once removed whatever folder it was given."""
    theirs = tmp_path / "home"
    theirs.mkdir()
    (theirs / "letter").write_text("dear")
    done = subprocess.run([ROOT / "deploy" / script, theirs, sys.executable, "true"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and "found something that this script did not make" in done.stderr
    assert (theirs / "letter").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo Python 3.9.0 && exit 0\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run([ROOT / "deploy" / "environment.sh", old, tmp_path / "venv", "."], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and "found Python 3.9.0; wanted Python 3.11" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_an_unknown_group_of_packages_is_refused() -> None:
    done = subprocess.run([ROOT / "deploy" / "packages.sh", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "found 'everything'" in done.stderr
