"""Serve the page in the browser: what is heard, what was heard, and what an owner can make right.

A process of its own, beside the appliance (`edge-audio run`) of the same state directory, whose user or root must run it.
Serves this machine alone, unless --bind or [page] bind say otherwise; then it needs a password.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import replace
from pathlib import Path

from edge.cli.options import log_to_stderr, state_dir_from
from edge.errors import SettingsError
from edge.settings import Settings
from edge.settings.page import check_page
from edge.settings_file import load_settings

EXAMPLES = """Examples:
  edge-audio page                          http://127.0.0.1:8080/
  edge-audio page --set-password           asks for it; or reads a line of standard input
  edge-audio page --bind 0.0.0.0           the network too
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `page` takes."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); every key has a default")
    parser.add_argument("--state-dir", type=Path, default=None, metavar="DIR",
                        help="that of the appliance (environment: EDGE_AUDIO_STATE)")
    parser.add_argument("--bind", metavar="ADDRESS", help="serve at this address (default: 127.0.0.1, or [page] bind)")
    parser.add_argument("--port", type=int, metavar="PORT", help="TCP port (default: 8080, or [page] port; 0: any)")
    parser.add_argument("--prefix", metavar="PATH", help="path below which a reverse proxy shows the page")
    parser.add_argument("--set-password", action="store_true", help="set the page's password, and end")


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop, or set the password."""
    settings = load_settings(options.config) if options.config is not None else Settings()
    state_dir = state_dir_from(options)
    given = {name: getattr(options, name) for name in ("bind", "port", "prefix") if getattr(options, name) is not None}
    settings = replace(settings, page=replace(settings.page, **given))
    check_page(settings.page)
    log_to_stderr(settings.log.level)
    if options.set_password:
        from edge.page.password import set_password

        set_password(state_dir, _asked())
        print("the password is set; whoever was logged in logs in again")
        return 0
    from edge.page.main import serve_page  # only here: --set-password needs no server

    return serve_page(settings, state_dir, options.config)


def _asked() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given = getpass.getpass("password of the page: ")
    if getpass.getpass("again: ") != given:
        raise SettingsError("password", found="two different ones", wanted="the same one twice")
    return given
