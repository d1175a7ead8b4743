"""passwd, group, shadow and gshadow of this boot: the slot's own, and the owner's users after them.

They are made anew at every boot and never kept: a slot's own system users are never hidden by those of an older slot.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from .durable import write
from .places import Places
from .record import Record, User

FILES = {"passwd": 0o644, "group": 0o644, "shadow": 0o640, "gshadow": 0o640}


def make(places: Places, own: Callable[[str], bytes], record: Record) -> list[str]:
    """Write the four below /run. own: the slot's content of each. Returns the names of users that the slot has itself."""
    lines = {name: own(name).decode("utf-8", "replace").splitlines() for name in FILES}
    names = {line.partition(":")[0] for line in lines["passwd"] + lines["group"]}
    numbers = {each[2] for line in lines["passwd"] + lines["group"] if len(each := line.split(":")) > 2}
    users = [user for user in record.users if user.name not in names and str(user.uid) not in numbers]
    for user in users:
        home = f"/home/{user.name}"
        lines["passwd"].append(f"{user.name}:x:{user.uid}:{user.uid}:{user.gecos}:{home}:{user.shell}")
        lines["shadow"].append(f"{user.name}:{user.hash or '*'}::0:99999:7:::")
    for name in ("group", "gshadow"):
        lines[name] = [_with_members(line, users) for line in lines[name]]
    lines["group"] += [f"{user.name}:x:{user.uid}:" for user in users]
    lines["gshadow"] += [f"{user.name}:!::" for user in users]
    for name, mode in FILES.items():
        made = places.run / "etc" / name
        write(made, "".join(f"{line}\n" for line in lines[name]).encode(), mode)
        if (places.etc / name).exists() and os.geteuid() == 0:
            owner = (places.etc / name).stat()
            os.chown(made, owner.st_uid, owner.st_gid)
    return [user.name for user in record.users if user not in users]


def _with_members(line: str, users: Iterable[User]) -> str:
    fields = line.split(":")
    if len(fields) != 4:
        return line
    members = [name for name in fields[3].split(",") if name]
    members += [user.name for user in users if fields[0] in user.groups and user.name not in members]
    return ":".join([*fields[:3], ",".join(members)])


def make_homes(places: Places, record: Record) -> None:
    """A home for each user that has none, from the slot's skeleton. One that is there is left alone."""
    for user in record.users:
        home = places.homes / user.name
        if home.exists():
            continue
        beside = home.with_name(f".{user.name}.new")
        shutil.rmtree(beside, ignore_errors=True)
        skeleton = places.etc / "skel"
        if skeleton.is_dir():
            shutil.copytree(skeleton, beside, symlinks=True)
        else:
            beside.mkdir(parents=True)
        beside.chmod(0o700)
        if os.geteuid() == 0:
            for path in [beside, *beside.rglob("*")]:
                os.chown(path, user.uid, user.uid, follow_symlinks=False)
        beside.rename(home)


def make_keys(places: Places, record: Record) -> None:
    """The owner's keys of each user, where sshd looks beside ~/.ssh/authorized_keys."""
    folder = places.run / "keys"
    _empty(folder)
    for user in record.users:
        if user.keys:
            write(folder / user.name, "".join(f"{key}\n" for key in user.keys).encode(), 0o644)


def make_sudoers(places: Places, record: Record) -> None:
    """A rule for each user that asks no password; the group sudo has Debian's own."""
    folder = places.run / "sudoers.d"
    _empty(folder)
    for user in record.users:
        if user.sudo == "free":
            write(folder / user.name, f"{user.name} ALL=(ALL:ALL) NOPASSWD: ALL\n".encode(), 0o440)
        elif user.sudo == "password" and "sudo" not in user.groups:
            write(folder / user.name, f"{user.name} ALL=(ALL:ALL) ALL\n".encode(), 0o440)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755, parents=True)
