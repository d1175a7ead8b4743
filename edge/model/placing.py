"""Folders of the state directory changed by one writer at a time, and files written whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ModelError
from edge.state import private_folder

LOG = logging.getLogger(__name__)

WANTED = "a state directory that can be written (--state-dir)"
"""What `disk_error` says where the disk fails."""
NEW, OLD = ".new-", ".old-"
"""Beginnings of folders that are not models yet, or were replaced."""
LOOK_AGAIN_SECONDS = 0.1
"""How often a writer that waits for a folder tries again."""


@contextlib.contextmanager
def alone(folder: Path, other: str, *, patience_seconds: float) -> Iterator[None]:
    """Hold a folder (made when needed) against every other writer, of this process too, until the block ends.

    other: the command that another writer would be, for messages. patience_seconds: how long to wait for a
    writer that holds the folder now; the wait is logged once. Readers need no lock. Raises ModelError where
    the other writer is still at work then, and where the disk fails; whatever the block raises goes through
    as it is.
    """
    try:
        private_folder(folder)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise disk_error(folder, error, WANTED) from error
    try:
        until, waited = time.monotonic() + patience_seconds, False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise ModelError(str(folder), found=f"another `{other}` at work",
                                     wanted="one at a time") from error
            if not waited:
                LOG.warning("%s: another `%s` is at work; waiting for it, %g s at most", folder, other, patience_seconds)
            waited = True
            time.sleep(LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def changing(models: Path) -> Iterator[None]:
    """Hold the folder alone (made when needed), clear up what a crash left, and name the folder where the disk fails.

    Raises ModelError if another process holds it, and for an OSError inside.
    """
    with alone(models, "edge-audio model", patience_seconds=0.0):
        try:
            _clear_up(models)
            yield
        except OSError as error:
            raise disk_error(models, error, WANTED) from error


def put(new: Path, models: Path, name: str) -> Path:
    """Give a complete model folder its name, in place of the one that had it. Raises OSError."""
    for file in (*new.iterdir(), new):
        sync(file)
    target, old = models / name, models / f"{OLD}{name}"
    # A power cut between these two leaves the old model under its other name, where the store still finds it.
    if target.exists():
        target.rename(old)
    new.rename(target)
    sync(models)
    shutil.rmtree(old, ignore_errors=True)
    return target


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path to write to; when the block ends, what is there takes the place of `path`, or nothing does. Raises OSError."""
    new = path.with_name(f"{NEW}{os.getpid()}-{path.name}")
    try:
        yield new
        sync(new)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    sync(path.parent)


@contextlib.contextmanager
def keeping(path: Path) -> Iterator[Path]:
    """`writing`, for a file of the state directory, whose folder is made when needed.

    Raises ModelError where the disk fails.
    """
    try:
        private_folder(path.parent)
        with writing(path) as new:
            yield new
    except OSError as error:
        raise disk_error(path, error, WANTED) from error


@contextlib.contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """`writing`, for a file that the owner named: a new one, a regular one to replace, or a link to either.

    Raises ModelError for anything else, and for an OSError inside the block. A device is refused: it would be
    replaced by a file, for the whole machine.
    """
    target = Path(os.path.realpath(output))
    try:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(mode := target.stat().st_mode):
                found = "a folder" if stat.S_ISDIR(mode) else "a device or pipe"
                raise ModelError(str(output), found=found, wanted="a file name")
        with writing(target) as new:
            yield new
    except OSError as error:
        raise disk_error(output, error, "a file that can be written") from error


def set_aside(path: Path) -> Path:
    """Rename a file or folder, so that another can take its place; its new path. Raises ModelError where the
    disk fails."""
    number = 1
    while (aside := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    try:
        path.rename(aside)
        sync(path.parent)
    except OSError as error:
        raise disk_error(path, error, WANTED) from error
    return aside


def drop(directory: Path) -> None:
    """Remove a model folder; renamed first, so that a crash leaves no half of it under its name. Raises OSError."""
    gone = directory.with_name(f"{NEW}gone-{directory.name}")
    directory.rename(gone)
    shutil.rmtree(gone)


def sync(path: Path) -> None:
    """Have a file or folder on the disk before it gets its name. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def disk_error(path: Path, error: OSError, wanted: str) -> ModelError:
    """An OSError as the owner should read it."""
    return ModelError(str(path), found=error.strerror or str(error), wanted=wanted)


def _clear_up(models: Path) -> None:
    for left in list(models.iterdir()):
        kept = models / left.name.removeprefix(OLD)
        if left.name.startswith(OLD) and not kept.exists():
            left.rename(kept)
        elif left.name.startswith((NEW, OLD)):
            shutil.rmtree(left)
