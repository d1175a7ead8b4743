"""An update by command or by timer: verified, compared, written into the other slot."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from edge.cli.updating.board import Board
from edge.cli.updating.rauc import Bundle
from edge.cli.updating.trial import ALL_LOOKS, Boot, Record, abandoned, begun, installed, refused
from edge.cli.updating.versions import Version
from edge.errors import SettingsError, UpdateError
from edge.settings import UpdateSettings

LOG = logging.getLogger(__name__)

QUIET_SECONDS = 1800.0
"""How long the timer's restart waits for the end of an event before it leaves the restart to the next night."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A verified bundle, beside what runs. slot: where it would go."""

    bundle: Bundle
    boot: Boot
    slot: str


def place_of(where: str) -> str:
    """A bundle's URL, or its file's whole path. Raises SettingsError."""
    if "://" in where:
        parts = urlsplit(where)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError("update", found=where, wanted="a file, or an address that begins with https:// or http://")
        if parts.username is not None or parts.password is not None:
            raise SettingsError("update", found="a user name or password in the address", wanted="an address without: every "
                                "user of this board can read it, and a bundle proves itself by its signature")
        return where
    path = Path(where).absolute()
    if not path.is_file():
        raise SettingsError(str(path), found="no plain file" if path.exists() else "no such file", wanted="a bundle")
    return str(path)


def offer(board: Board, where: str) -> Offer:
    """Verify the bundle, and ask whether this board may take it; the version is not compared. Raises UpdateError."""
    system, boot = board.system(), board.boot()
    bundle = board.info(where)
    if bundle.compatible != system.compatible:
        raise UpdateError(where, found=f"an image for {bundle.compatible}", wanted=f"one for {system.compatible}")
    room = board.slot_bytes(system.other.device)
    if bundle.size > room:
        raise UpdateError(where, found=f"a root of {bundle.size / 1e6:,.0f} MB", wanted=f"{room / 1e6:,.0f} MB at most, in "
                          f"slot {system.other.bootname}; or the card written anew")
    Version(bundle.version, of=where)
    return Offer(bundle, boot, system.other.bootname)


def newer(offered: Offer) -> bool:
    """Whether the bundle's version is higher than the one that runs. Raises UpdateError for a version that is none."""
    return Version(offered.bundle.version) > Version(offered.boot.version, of="this image")


def take(board: Board, where: str, offered: Offer, told: Callable[[str], None]) -> None:
    """Install it. told: called with each line of progress. Raises UpdateError; then what runs is booted as before."""
    record = board.load()
    if on_trial(record, offered.boot):
        raise UpdateError(where, found=f"version {offered.boot.version} on trial", wanted="the end of its self-check, for "
                          "the other slot is the way back (edge-audio update --status)")
    look = board.look()
    wanted = tuple(each for each in ALL_LOOKS if look.passed[each])
    record = begun(record, slot=offered.slot, version=offered.bundle.version, wanted=wanted, boot=offered.boot.id)
    board.save(record)
    try:
        board.install(where, told)
    except UpdateError:
        board.save(abandoned(record))
        raise
    board.save(installed(record))


def on_trial(record: Record, boot: Boot) -> bool:
    """Whether the slot that runs is not proven yet."""
    return record.trial is not None and record.trial.slot == boot.slot


def waits_for_restart(record: Record, boot: Boot) -> bool:
    """Whether an update was installed since this boot began."""
    return record.trial is not None and record.trial.boot == boot.id and record.trial.installed


def scheduled(board: Board, settings: UpdateSettings, told: Callable[[str], None]) -> str:
    """What the timer does in the hour that the settings name: install what is newer, and start anew while nothing sounds.

    What was done, in words; "" where it is not the time. Raises SettingsError or UpdateError.
    """
    if not settings.url or board.now().hour != settings.hour:
        return ""
    boot, record = board.boot(), board.load()
    if on_trial(record, boot):
        return f"version {boot.version} is on trial; nothing is looked for"
    if not waits_for_restart(record, boot):
        where = place_of(settings.url)
        offered = offer(board, where)
        if not newer(offered):
            return f"{where} has version {offered.bundle.version}; version {boot.version} runs"
        if refused(record, offered.bundle.version):
            return f"{where} has version {offered.bundle.version}, which was taken back; `edge-audio update` tries it again"
        take(board, where, offered, told)
        LOG.info("version %s is in slot %s", offered.bundle.version, offered.slot)
    ends = board.seconds() + QUIET_SECONDS
    while sounding := board.look().sounding:
        if board.seconds() >= ends:
            return f"{', '.join(sounding)} sounds; the restart into the new version waits for another hour"
        board.wait(10.0)
    board.restart()
    return "starting anew"
