"""What axe-core objects to in a tab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

AXE = os.environ.get("EDGE_AUDIO_AXE", "")
"""The path of axe.min.js; empty where the page is tried without."""


def violations(page: Any) -> list[str]:
    """Each objection, with the elements."""
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {each['help']}: {node['html'][:200]}: {node.get('failureSummary', '')}"
            for each in found["violations"] for node in each["nodes"]]
