"""The appliance on an emulated ARM machine (Cortex-A53, Debian 13, LiteRT as on boards): `make test-arm`.

Times there say nothing of a board's speed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edge import classify, load_model

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def root() -> Path:
    """The ARM root that deploy/arm-root.sh makes, with this working tree in it."""
    named = os.environ.get("EDGE_AUDIO_ARM_ROOT")
    if not named:
        pytest.skip("EDGE_AUDIO_ARM_ROOT names no ARM root: use make test-arm")
    there = Path(named) / "opt" / "edge-audio"
    shutil.rmtree(there, ignore_errors=True)
    there.mkdir(parents=True)
    for part in ("edge", "models", "setup.cfg"):
        copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy
        copy(REPOSITORY / part, there / part)
    return Path(named)


def on_arm(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run edge-audio in the root, on one model of processor."""
    words = ["chroot", str(root), "sh", "-c", 'cd /opt/edge-audio && exec /opt/v/bin/python -m edge "$@"', "sh", *arguments]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "QEMU_CPU": "cortex-a53"}
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_the_starter_opens_and_runs(root: Path) -> None:
    done = on_arm(root, "model", "verify", "starter")
    assert done.returncode == 0, done.stderr
    assert "LiteRT" in done.stdout


@pytest.mark.parametrize("scene", ["claps.wav", "typing.wav"])
def test_scores_and_events_are_those_of_this_machine(root: Path, scene: str) -> None:
    done = on_arm(root, "classify", "--format", "json", "--top", "0", f"models/demo/{scene}")
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    ours = classify(load_model("starter"), REPOSITORY / "models" / "demo" / scene)
    scores = np.array([[patch["scores"][label] for label in ours.labels] for patch in theirs["patches"]])
    assert scores.shape == ours.scores.shape
    assert np.abs(scores - ours.scores).max() < 0.03
    assert [(event["target"], event["start_seconds"]) for event in theirs["events"]] == [
        (event.target, round(event.start / 16_000, 3)) for event in ours.events]


def test_the_demo_hears_what_is_expected(root: Path) -> None:
    done = on_arm(root, "demo", "--fast")
    assert done.returncode == 0, done.stdout + done.stderr
