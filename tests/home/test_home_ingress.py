"""The page through Home Assistant's ingress: `make test-home-assistant`.

A browser asks a real Home Assistant, whose own ingress view (homeassistant.components.hassio.ingress, behind its own web
server) asks the Supervisor, who asks a real `edge-audio page` beside a real appliance. Only the Supervisor is ours
(supervisor.py), and the frontend's part, which is a cookie and an iframe.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.page.password import set_password
from edge.page.server import STATIC
from edge.page.tries import OF_ONE
from tests.home.home_assistant import HEARS, ROOT, SECONDS, Board, HomeAssistant, until
from tests.home.supervisor import COOKIE, SESSION, TOKEN, USER, Ingress, supervising
from tests.page.browser import Browser, own_address
from tests.page.chromium.conftest import chromium, tab

__all__ = ["chromium", "tab"]
pytestmark = pytest.mark.slow

RIGHT, WRONG = "correct horse", "wrong horse"
PATH = f"/api/hassio_ingress/{TOKEN}"
CHROMIUM = "gzip, deflate, br, zstd"
"""What a browser accepts."""
VIEW = '''
"""Core's ingress view, without the integration around it, which wants a Supervisor before it sets the view up."""
from homeassistant.components.hassio.ingress import async_setup_ingress_view


async def async_setup(hass, config):
    async_setup_ingress_view(hass, config["ingress_view"]["host"])
    return True
'''
MANIFEST = {"domain": "ingress_view", "name": "Ingress view", "version": "1.0", "dependencies": ["http"], "codeowners": [],
            "documentation": "https://home.example", "iot_class": "local_push", "requirements": []}
PANEL = f'<!doctype html><title>panel</title><iframe src="{PATH}/" width="1200" height="800"></iframe>'
"""The frontend's ingress panel is an iframe of Home Assistant's own origin."""


@pytest.fixture(scope="module")
def address() -> str:
    """This machine's own address in a network, from which the Supervisor shows as another machine."""
    return own_address()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of an appliance that hears, as an add-on would serve it; its address and port."""
    folder = tmp_path_factory.mktemp("kitchen")
    (folder / "state").mkdir(mode=0o700)
    set_password(folder / "state", RIGHT)
    served = f'[page]\nbind = "0.0.0.0"\nport = 0\ntrusted_proxies = ["{address}"]\n'
    log = folder / "page.log"
    with Board(folder, f'[device]\nname = "kitchen"\n{served}{HEARS}') as board, log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "edge", "page", "--config", str(folder / "settings.toml"),
                                    "--state-dir", str(folder / "state")], cwd=ROOT, stdin=subprocess.DEVNULL, stderr=output)
        try:
            found = until(lambda: re.search(r"http://0\.0\.0\.0:(\d+)/\n", log.read_text()), "the page does not start")
            yield f"{address}:{found[1]}"
        finally:
            process.terminate()
            process.wait(SECONDS)
        assert board is not None


@pytest.fixture(scope="module")
def supervisor(page: str) -> Iterator[tuple[Ingress, int]]:
    """The Supervisor's ingress, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with supervising(lambda: page, port) as ingress:
        yield ingress, port


@pytest.fixture(scope="module")
def home_port(supervisor: tuple[Ingress, int]) -> Iterator[int]:
    """The port of a Home Assistant with its ingress view."""
    named = os.environ.get("EDGE_AUDIO_HOME_ASSISTANT_ROOT")
    if not named:
        pytest.skip("EDGE_AUDIO_HOME_ASSISTANT_ROOT names no root with Home Assistant: use make test-home-assistant")
    home = HomeAssistant(Path(named), f"/tmp/edge-audio-{uuid.uuid4().hex}",
                         f'ingress_view: {{host: "127.0.0.1:{supervisor[1]}"}}\n')
    for name, text in (("custom_components/ingress_view/__init__.py", VIEW), ("www/panel.html", PANEL),
                       ("custom_components/ingress_view/manifest.json", json.dumps(MANIFEST))):
        (home.home / name).parent.mkdir(parents=True, exist_ok=True)
        (home.home / name).write_text(text)
    try:
        with home:
            yield home.port
    finally:
        shutil.rmtree(home.home)


@pytest.fixture
def browser(home_port: int) -> Browser:
    """One who is logged in at Home Assistant and looks at the add-on."""
    return Browser(home_port, base=PATH, also=f"{COOKIE}={SESSION}")


def test_all_of_the_page_is_below_the_ingress_path(browser: Browser) -> None:
    assert Browser(browser.port, base=PATH).ask("/").status == 401, "for those who are logged in at Home Assistant only"
    index = browser.ask("/").body.decode()
    for name in re.findall(r'(?:src|href)="([^"#]+)"', index):
        assert browser.ask(f"/{name}").status == 200, name
    packed = browser.ask("/page.js", Accept_Encoding=CHROMIUM)
    assert packed.headers["Content-Encoding"] == "deflate"
    assert zlib.decompress(packed.body) == (STATIC / "page.js").read_bytes()
    assert browser.ask("/page.js", If_None_Match=packed.headers["ETag"]).status == 304
    assert "frame-ancestors 'self'" in browser.ask("/").headers["Content-Security-Policy"]
    assert browser.ask("/api/state").status == 401 and browser.enter()["ingress"]


def test_log_in_change_and_out(browser: Browser) -> None:
    assert browser.login(WRONG).status == 403
    cookie = browser.login(RIGHT).headers["Set-Cookie"]
    assert f"Path={PATH};" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    assert browser.ask("/api/state").status == 200
    change = {"command": "unmute"}
    assert browser.post("/api/command", change, X_CSRF_Token="a guess").told["found"] == "another X-CSRF-Token"
    assert browser.post("/api/command", change, Origin="http://evil.example").status == 403
    assert browser.post("/api/command", change, Sec_Fetch_Site="cross-site").status == 403
    assert browser.post("/api/command", change).told["ok"]
    assert browser.ask("/api/events.csv").headers["Content-Type"].startswith("text/csv")
    assert browser.post("/api/logout").status == 200 and browser.ask("/api/state").status == 401
    assert "Secure" in browser.login(RIGHT, X_Forwarded_Proto="https").headers["Set-Cookie"], "to Home Assistant by https"


def test_wrong_passwords_count_for_the_browsers_address(browser: Browser, supervisor: tuple[Ingress, int]) -> None:
    """Without `[page] trusted_proxies` all who look would be one, the Supervisor."""
    browser.source = "127.0.0.2"
    for _ in range(OF_ONE):
        assert browser.login(WRONG).status == 403
    assert browser.login(RIGHT).status == 429
    asked = supervisor[0].asked[-1]
    assert asked["X-Forwarded-For"] == "127.0.0.2, 127.0.0.1" and asked["X-Ingress-Path"] == PATH
    assert asked["X-Hass-Source"] == "core.ingress" and asked["Host"] == browser.host and USER.items() <= dict(asked).items()
    browser.source = "127.0.0.3"
    assert browser.login(RIGHT).status == 200


def test_the_live_stream_flows(browser: Browser) -> None:
    """Home Assistant 2026.2.3 compresses text, Server-Sent Events too, and its packer holds back what comes. So there the
    page does not take the stream as text."""
    browser.login(RIGHT)
    with browser.look("?bands=1&plain=1", Accept_Encoding=CHROMIUM) as look:
        assert "Content-Encoding" not in look.response.headers
        look.until(lambda told: sum(each["kind"] == "hearing" for each in told) > 5 and told[-1]["kind"] == "bands")
        assert look.kinds("hello")[0]["about"]["device"] == "kitchen"
    with browser.look("?bands=1", Accept_Encoding=CHROMIUM) as look:
        assert look.response.headers["Content-Encoding"] == "deflate", "mended there: then plain.js is no longer needed"


@pytest.mark.browser
def test_the_page_in_the_frame_of_home_assistant(browser: Browser, tab: Callable[..., Any]) -> None:
    shown = tab(Browser(browser.port), "/local/panel.html")
    shown.context.add_cookies([{"name": COOKIE, "value": SESSION, "url": browser.origin}])
    shown.reload()
    frame = shown.frame_locator("iframe")
    frame.get_by_label("Password").fill(RIGHT)
    frame.get_by_role("button", name="Log in").click()
    frame.locator("#state-words").filter(has_text="Hearing").wait_for()
    frame.locator("#gate").filter(has_text="gate").wait_for()
    inside = shown.frames[1]
    inside.wait_for_function("""() => import("./timeline.js").then(({ timeline, RATE }) => timeline.newest > 3 * RATE)""")
    assert inside.evaluate("() => window.streams.length") == 0, "no EventSource"
    assert {cookie["path"] for cookie in shown.context.cookies() if cookie["name"] != COOKIE} == {PATH}
    shown.reload()
    frame.locator("#state-words").filter(has_text="Hearing").wait_for()
