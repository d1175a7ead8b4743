"""Update the image: verify a signed bundle, write it into the other slot, and start from there.

The bundle is a file or an address; without one, the settings' `[update] url`. What runs stays as it is until the next start.
Then the new version proves itself: the service is up, and samples, delegate and broker are as they were before. If it does
not, the version before comes back by itself. Other installations are updated as they were installed; this command says how.
Exit code 1 if the update is refused or fails, 2 if this is no image or the input is wrong.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from edge.cli.options import log_to_stderr
from edge.cli.updating.board import ThisBoard
from edge.cli.updating.confirm import PATIENCE_SECONDS, confirm
from edge.cli.updating.install import scheduled
from edge.cli.updating.kinds import require_image
from edge.cli.updating.show import print_status, update_now
from edge.errors import SettingsError
from edge.settings import Settings
from edge.settings_file import load_settings

EXAMPLES = """Examples:
  edge-audio update https://example.org/edge-audio-arm64.raucb --reboot
  edge-audio update edge-audio-1.3.0.raucb      the next start is from the new version
  edge-audio update --status
"""
SETTINGS = Path("/etc/edge-audio/edge-audio.toml")
STATE = Path("/var/lib/edge-audio")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `update` takes."""
    parser.add_argument("bundle", nargs="?", metavar="URL|FILE", help="the signed bundle (default: [update] url)")
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"settings (default: {SETTINGS}, where it is there)")
    parser.add_argument("--allow-downgrade", action="store_true", help="take a version that is not newer, too")
    parser.add_argument("--reboot", action="store_true", help="start anew at once when the update is in")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--status", action="store_true", help="show slots and versions, and what was taken back")
    instead.add_argument("--confirm", action="store_true", help="the self-check at each start")
    instead.add_argument("--scheduled", action="store_true", help="what the timer does, in the hour of [update]")
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, metavar="SECONDS",
                        help="with --confirm: how long a new version has to prove itself (default: %(default)g)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of what --status shows")


def run(options: argparse.Namespace) -> int:
    """Do what is asked; all of it but the image's own units as root."""
    log_to_stderr("info")
    require_image()
    if os.geteuid() != 0:
        raise SettingsError("update", found="a user who is not root", wanted="root (sudo edge-audio update)")
    board = ThisBoard(Path("/"), STATE)
    if options.status:
        print_status(board, options.format)
        return 0
    if options.confirm:
        return 0 if confirm(board, options.patience) else 1
    settings = _settings(options.config)
    if options.scheduled:
        if said := scheduled(board, settings.update, print):
            print(said)
        return 0
    where = options.bundle or settings.update.url
    if not where:
        raise SettingsError("update", found="neither URL nor FILE", wanted="one of them, or an address in [update] url")
    update_now(board, where, allow_downgrade=options.allow_downgrade, restart=options.reboot)
    return 0


def _settings(named: Path | None) -> Settings:
    """Raises SettingsError for a file that is wrong, or is not there though it was named."""
    if named is None and not SETTINGS.is_file():
        return Settings()
    return load_settings(named or SETTINGS)
