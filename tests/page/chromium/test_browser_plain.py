"""The live stream as no text, which the page takes where Home Assistant's ingress shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.page.browser import Browser as Client
from tests.page.chromium.conftest import HIDE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MARK = '.mark[data-target="hand_clap"]:not([hidden])'
INGRESS = {"extra_http_headers": {"X-Ingress-Path": "/api/hassio_ingress/k9fJ"}}
NEWEST = '() => import("./timeline.js").then(({ timeline }) => timeline.newest)'


def test_it_flows_and_a_hidden_tab_asks_for_nothing(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board, **INGRESS)
    page.wait_for_selector(MARK)
    assert page.evaluate("() => window.streams.length") == 0, "no EventSource"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(HIDE, "hidden")
    before = page.evaluate(NEWEST)
    page.wait_for_timeout(1_500)
    assert page.evaluate(NEWEST) == before and asked == []
    with page.expect_request("**/api/live?bands=1&plain=1"):
        page.evaluate(HIDE, "visible")
    page.wait_for_function(f"(before) => ({NEWEST})().then((newest) => newest > before)", arg=before)


def test_a_stream_that_is_refused_is_said(board: Client, tab: Callable[..., Any]) -> None:
    """Then the page asks how its session stands, and tries again."""
    told = """(path) => import("./plain.js").then(({ Plain }) => new Promise((resolve) => {
      const stream = new Plain(path);
      stream.onerror = () => resolve("error");
      stream.onmessage = ({ data }) => resolve(data);
    }))"""
    page = tab(board)
    assert page.evaluate(told, "api/nowhere?") == "error"
    assert '"kind":"hello"' in page.evaluate(told, "api/live?bands=0")
