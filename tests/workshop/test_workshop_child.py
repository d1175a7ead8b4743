"""What runs beside us imports what we imported. `edge-audio bench` of the Debian package found no edge in its child."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.workshop.child import environment


@pytest.mark.big
def test_a_child_imports_our_edge_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """-S: no environment and no editable install helps."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = subprocess.run([sys.executable, "-S", "-P", "-c", "import edge; print(edge.__file__)"], cwd=tmp_path,
                          capture_output=True, text=True, check=False, env=environment())
    assert told.stdout.strip() == edge.__file__, told.stderr


def test_what_was_searched_before_is_searched_after(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = str(Path(edge.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert environment()["PYTHONPATH"] == os.pathsep.join((ours, "/elsewhere"))
    monkeypatch.delenv("PYTHONPATH")
    assert environment()["PYTHONPATH"] == ours
