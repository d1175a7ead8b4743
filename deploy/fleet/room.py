"""Room for many connections: each takes one open file."""

from __future__ import annotations

import contextlib
import resource

from edge.errors import SettingsError

SPARE_FILES = 100
"""Open files that the rest of this program may need: the check, the openers, Python itself."""


def make_room(boards: int) -> None:
    """Raise this process's own limit of open files as far as is needed and allowed. Raises SettingsError."""
    wanted = boards + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raise SettingsError(f"--boards {boards}", found=f"room for {soft} open files",
                            wanted=f"{wanted} (as root: ulimit -n {wanted})")
