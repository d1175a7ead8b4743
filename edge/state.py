"""The state directory: for its owner alone, and for one appliance at a time."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import SettingsError

log = logging.getLogger("edge")


def default_state_dir() -> Path:
    """The state directory: EDGE_AUDIO_STATE, else /var/lib/edge-audio for root, else the user's own state folder."""
    if named := os.environ.get("EDGE_AUDIO_STATE"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/edge-audio")
    if xdg := os.environ.get("XDG_STATE_HOME"):
        return Path(xdg) / "edge-audio"
    try:
        return Path.home() / ".local" / "state" / "edge-audio"
    except RuntimeError as error:
        raise SettingsError("state directory", found="no home folder", wanted="--state-dir or EDGE_AUDIO_STATE") from error


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only (mode 0700); one that is there
    stays as it is.

    Raises OSError.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(exist_ok=True)  # raises where something else than a folder is there


@contextlib.contextmanager
def held(state_dir: Path) -> Iterator[None]:
    """Hold the state directory, for two appliances with the same one would drive the same pins. A directory
    that was missing is made, and removed again where nothing was kept in it.

    Where the disk fails nothing is held, and the log says so. Raises SettingsError where another process
    holds the directory.
    """
    made = not state_dir.exists()
    try:
        private_folder(state_dir)
        handle = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        log.warning("%s: %s; nobody will notice a second appliance with this state directory",
                    state_dir, error.strerror or error)
        yield
        return
    try:
        _lock(handle, state_dir)
        yield
        if made:
            with contextlib.suppress(OSError):  # something is kept in it
                state_dir.rmdir()
    finally:
        os.close(handle)


def _lock(handle: int, state_dir: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), state_dir.stat()):
            return
    except (BlockingIOError, FileNotFoundError):
        pass  # another process holds the directory, or has just removed it
    raise SettingsError(f"state directory {state_dir}", found="another `edge-audio run` that uses it",
                        wanted="one appliance for each: stop the other, or choose another --state-dir")
