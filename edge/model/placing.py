"""A folder of models changed by one process at a time, so that a crash leaves whole models only."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ModelError

WANTED = "a state directory that can be written (--state-dir)"
"""What `disk_error` says where the disk fails."""
NEW, OLD = ".new-", ".old-"
"""Beginnings of folders that are not models yet, or were replaced."""


@contextlib.contextmanager
def changing(models: Path) -> Iterator[None]:
    """Hold the folder alone (made when needed), clear up what a crash left, and name the folder where the disk fails.

    Raises ModelError if another process holds it, and for an OSError inside.
    """
    try:
        models.mkdir(parents=True, exist_ok=True)
        lock = os.open(models, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear_up(models)
            yield
        finally:
            os.close(lock)
    except BlockingIOError as error:
        raise ModelError(str(models), found="another `edge-audio model` at work", wanted="one at a time") from error
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


def set_aside(path: Path) -> Path:
    """Rename a file or folder, so that another can take its place; its new path. Raises ModelError where the disk fails."""
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
