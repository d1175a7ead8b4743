"""A file that the owner asked for: written beside its name, and given the name when it is complete."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ModelError
from edge.model.placing import disk_error, sync

_WANTED = "a file that can be written"


@contextlib.contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """A path to write to; what is there when the block ends takes the place of `output`, or nothing does.

    output: a new file, a regular one to replace, or a link to either. Raises ModelError for anything else, and for an
    OSError inside the block.
    """
    target = _regular(output)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(target)
    except OSError as error:
        raise disk_error(output, error, _WANTED) from error
    finally:
        # A name too long for the disk, or a folder that is none: nothing was written then.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _regular(output: Path) -> Path:
    """Where a file of this name is to be written: a link's target. Raises ModelError for a device, pipe or folder.

    A device would not be written to but replaced, for the whole machine.
    """
    target = Path(os.path.realpath(output))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:
        raise disk_error(output, error, _WANTED) from error
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
        raise ModelError(str(output), found=found, wanted="a file name")
    return target
