"""`pip install .` gives a whole program: models, sounds and tables inside, away from the clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the clone was installed, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    copy = tmp_path_factory.mktemp("clone")
    subprocess.run(f"git ls-files -z --cached --others --exclude-standard | xargs -0 cp -P --parents -t {copy}", shell=True,
                   check=True, cwd=ROOT)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--target", str(folder), str(copy)], check=True, capture_output=True, timeout=300)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "EDGE_AUDIO_STATE": str(installed / "state")}
    return subprocess.run([sys.executable, "-m", "edge", *arguments], cwd=installed, capture_output=True, text=True,
                          timeout=120, check=False, env=environment)


def test_the_embedded_model_and_the_demo_come_with_it(installed: Path) -> None:
    assert "starter" in run(installed, "model", "list").stdout
    verified = run(installed, "model", "verify", "starter")
    assert verified.returncode == 0, verified.stderr
    assert (installed / "edge_models" / "demo" / "expected.json").is_file()
    assert (installed / "edge_models" / "classes.toml").is_file()
    assert (installed / "edge" / "py.typed").is_file()


def test_training_scripts_and_recordings_stay_out(installed: Path) -> None:
    names = {path.name for path in installed.rglob("*")}
    assert "train.py" not in names and "sources.csv" not in names and "measuring" not in names


def test_every_package_is_listed() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    listed = set(settings["options"]["packages"].split())
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "edge").rglob("__init__.py")}
    assert listed == there | {"edge_models"}


def test_a_runtime_comes_by_environment_marker() -> None:
    requires = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert re.search(r'ai-edge-litert.*; platform_machine == "x86_64" or platform_machine == "aarch64"', requires)
    assert re.search(r'tflite-runtime.*; platform_machine != "x86_64" and platform_machine != "aarch64"', requires)
    assert re.search(r'numpy.*, < 2; platform_machine != "x86_64" and platform_machine != "aarch64"', requires)
