"""How many instructions a model takes on emulated ARM: `make test-arm`. Needs Debian 12's emulator, the one that counts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from edge.workshop.models.install import Installer

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).resolve().parent.parent


def test_the_starter_takes_half_of_yamnets_instructions_and_a_look_a_fifth_of_these(
        yamnet_file: Path, tmp_path: Path) -> None:
    root = os.environ.get("EDGE_AUDIO_ARM_ROOT")
    if not root:
        pytest.skip("EDGE_AUDIO_ARM_ROOT names no ARM root: use make test-arm")
    published = Installer(tmp_path).install(yamnet_file)
    embedded = REPOSITORY / "models" / "starter"
    models = [embedded / "backbone.tflite", published / "backbone.tflite", published / "whole.tflite",
              REPOSITORY / "models" / "impulse" / "look.tflite"]
    done = subprocess.run([REPOSITORY / "deploy" / "arm-instructions.sh", root, *models], capture_output=True, text=True,
                          timeout=1800, check=False)
    assert done.returncode == 0, done.stderr
    print(f"\n{done.stdout}")
    counts: dict[str, dict[Path, int]] = {}
    for line in done.stdout.splitlines():
        processor, count, model = line.split(maxsplit=2)
        counts.setdefault(processor, {})[Path(model)] = int(count)
    assert set(counts) == {"cortex-a53", "cortex-a76"}
    for found in counts.values():
        ours, backbone, whole, look = (found[model] for model in models)
        assert 0 < 2 * ours < backbone < whole
        assert 0 < 5 * look < ours
