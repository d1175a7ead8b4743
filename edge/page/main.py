"""From settings to a page that is served, and to its end."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from pathlib import Path

from edge.errors import SettingsError
from edge.page.door import again, handed_over, loading, own_command, wait
from edge.page.password import load_password
from edge.settings import Settings
from edge.settings.page import PageSettings


def serve_page(settings: Settings, state_dir: Path, config: Path | None = None) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP; the exit code.

    config: the settings' file. Raises SettingsError where a library is missing, the address cannot be had, or the network
    could come in without a password.
    """
    page = settings.page
    for library in ("aiohttp", "prometheus_client"):
        if importlib.util.find_spec(library) is None:
            raise SettingsError("edge-audio page", found=f"no {library}",
                                wanted="the extra: pip install 'edge-audio[page]', or Debian's python3-aiohttp and "
                                       "python3-prometheus-client")
    if load_password(state_dir) is None and not page.local:
        raise SettingsError(f"[page] bind {page.bind}", found="no password",
                            wanted="one before others can reach the page: edge-audio page --set-password "
                                   f"--state-dir {state_dir}")
    if (at := handed_over(os.environ)) is None:
        at = bound(page)
        host = f"[{page.bind}]" if ":" in page.bind else page.bind
        print(f"the page: http://{host}:{at.getsockname()[1]}{page.prefix}/", file=sys.stderr, flush=True)
    wait(at)
    with loading():
        from edge.page.server import Page, serve_until_told  # not before: the library takes 20 MB

    if serve_until_told(Page(settings, state_dir, config), at):
        again(at, own_command())
    return 0


def bound(page: PageSettings) -> socket.socket:
    """The socket that the page is served at, which listens. Raises SettingsError where the address cannot be had."""
    ours = socket.socket(socket.AF_INET6 if ":" in page.bind else socket.AF_INET, socket.SOCK_STREAM)
    try:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind((page.bind, page.port))
        ours.listen(128)
    except OSError as error:
        ours.close()
        raise SettingsError(f"[page] {page.bind} port {page.port}", found=error.strerror or str(error),
                            wanted="an address of this machine and a free port (--bind, --port)") from error
    return ours
