"""From settings to a page that is served, and to its end."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from edge.errors import SettingsError
from edge.page.password import load_password
from edge.page.server import Page, Server, bound, serve
from edge.settings import Settings


def serve_page(settings: Settings, state_dir: Path) -> int:
    """Serve until SIGTERM or SIGINT; the exit code.

    Raises SettingsError where the address cannot be had, or the network could come in without a password.
    """
    page = Page(settings, state_dir)
    if load_password(state_dir) is None and not settings.page.local:
        raise SettingsError(f"[page] bind {settings.page.bind}", found="no password",
                            wanted="one before others can reach the page: edge-audio page --set-password "
                                   f"--state-dir {state_dir}")
    at = bound(page)
    host = f"[{settings.page.bind}]" if ":" in settings.page.bind else settings.page.bind
    print(f"the page: http://{host}:{at.getsockname()[1]}{settings.page.prefix}/", file=sys.stderr, flush=True)
    with asyncio.Runner() as runner:
        runner.run(_until_told(page, at))
    return 0


async def _until_told(page: Page, at: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await serve(Server(page), at, stop)
