"""Waiting for what the appliance says, not the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.page.browser import Browser as Client
from tests.page.chromium.board import PATIENCE_SECONDS


def state(client: Client, page: Any, true: Callable[[Any], bool]) -> Any:
    """What the appliance says, not the page, once that is so. The page lives on meanwhile."""
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while True:
        told = client.ask("/api/state").told
        if told["away"] == "" and true(told):
            return told
        assert time.monotonic() < deadline, told
        page.wait_for_timeout(100)
