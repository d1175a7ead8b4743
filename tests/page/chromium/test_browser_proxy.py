"""The page in a browser that comes through nginx, by https, as the guide sets it up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.page.password import set_password
from edge.settings.page import PageSettings
from tests.page.browser import Browser as Client
from tests.page.chromium.board import hearing, settings_text
from tests.page.nginx import proxying

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAINTED = """() => {
  const canvas = document.getElementById("spectrogram");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data.filter((_, at) => at % 4 === 1)).size > 32;
}"""
"""Whether the spectrogram has sound in it: many colours."""


def test_the_spectrogram_flows_through_nginx_and_the_login_holds(
        state_dir: Path, tmp_path: Path, start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    set_password(state_dir, "a kitchen's secret")
    with hearing(state_dir, settings_text(("claps",))), \
            proxying(tmp_path / "nginx", start_page(PageSettings(prefix="/kitchen"))) as client:
        page = tab(client, "/", ignore_https_errors=True)
        page.get_by_label("Password").fill("a kitchen's secret")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_selector('.mark[data-target="hand_clap"]:not([hidden])')
        page.wait_for_function(PAINTED)
        cookie, = page.context.cookies()
        assert [cookie[name] for name in ("path", "secure", "httpOnly", "sameSite")] == ["/kitchen", True, True, "Strict"]
        page.reload()
        page.wait_for_selector('.mark[data-target="hand_clap"]:not([hidden])')
        page.get_by_role("link", name="History").click()
        page.locator("#past .event").first.wait_for()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Password").wait_for()
        assert page.context.cookies() == []
