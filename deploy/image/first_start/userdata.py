"""user-data and meta-data: host name, users, keys, time zone. Everything else that they hold is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from .errors import Refused, shown
from .owner_yaml import Value, parse
from .places import Places
from .record import Record
from .report import Page
from .users import take_users

HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
NEEDLESS = {"manage_etc_hosts", "manage_resolv_conf", "preserve_hostname", "enable_ssh", "package_update", "resize_rootfs",
            "growpart", "final_message", "disable_root"}
"""Keys that ask for what this image does anyhow, or never does."""
READ_ONLY = "the system is read-only and brings what it needs"
PLAIN = "give the user a `passwd` with a hash, as `openssl passwd -6` prints one"
WHY = {
    "keyboard": "no keyboard layout is set: the board is reached over the network",
    "locale": "the board speaks English", "packages": READ_ONLY, "apt": READ_ONLY, "package_upgrade": READ_ONLY,
    "snap": READ_ONLY, "write_files": "no files are written; settings of the appliance belong into edge-audio.toml",
    "runcmd": "no commands are run", "bootcmd": "no commands are run",
    "rpi": "interfaces of the board are switched on in config.txt",
    "ntp": "the clock is set over the network as it is",
    "chpasswd": PLAIN, "password": PLAIN, "ssh_import_id": "nothing is fetched; give the keys in `ssh_authorized_keys`",
    "ssh_keys": "the board makes its own host keys", "groups": "only the groups of the image are there",
}
Taker = Callable[[Value, Places, Record, Page], None]
TAKEN = ("hostname", "fqdn", "timezone", "ssh_pwauth", "ssh_authorized_keys", "users", "user")


def take_user_data(content: bytes, places: Places, record: Record, page: Page) -> Value:
    """Put what user-data holds into the record, and say so on the page. Returns the document.

    A key that the file does not name stays as it was. Raises Refused for a file that cannot be read at all.
    """
    start = content.lstrip(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"#!", b"#include", b"#part", b"#cloud-boothook", b"## template", b"Content-Type:", b"MIME")):
        raise Refused("", line=1, found="a script or a template", wanted="#cloud-config, and keys with values below")
    document = _mapping(parse(content))
    for key, value in document.items.items():
        if key == "fqdn" and "hostname" in document.items:
            continue
        with_page = _TAKERS.get(key)
        if with_page is not None:
            _tried(with_page, value, places, record, page)
            if with_page is _host_name:
                record.kept["host_name_from"] = "user-data"
        elif key not in TAKEN and key not in NEEDLESS:
            page.ignore(value.line, _key(key), WHY.get(key) or _unknown(key))
    take_users(document, places, record, page)
    return document


def take_meta_data(content: bytes, places: Places, record: Record, page: Page) -> Value:
    """The host name of meta-data, unless user-data named one. Raises Refused for a file that cannot be read."""
    document = _mapping(parse(content))
    for key, value in document.items.items():
        if key in ("local-hostname", "hostname"):
            if record.kept.get("host_name_from") != "user-data":
                _tried(_host_name, value, places, record, page)
        elif key not in ("instance-id", "instance_id", "dsmode"):
            page.ignore(value.line, _key(key), "the image has no use for this")
    return document


def _tried(take: Taker, value: Value, places: Places, record: Record, page: Page) -> None:
    try:
        take(value, places, record, page)
    except Refused as refused:
        page.refuse(refused)


def _mapping(document: Value) -> Value:
    if document.is_nothing:
        return Value({}, document.line)
    if not isinstance(document.content, dict):
        raise Refused("", line=document.line, found="no keys", wanted="key: value")
    return document


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key) else shown(key, 40)


def _unknown(key: str) -> str:
    near = get_close_matches(key, TAKEN, n=1)
    return f"not understood{f' (did you mean {near[0]}?)' if near else ''}"


def _host_name(value: Value, places: Places, record: Record, page: Page) -> None:
    found = value.text
    if found is None or not HOST_NAME.fullmatch(name := found.partition(".")[0]):
        raise Refused("hostname", line=value.line, found="a list or a table" if found is None else shown(found),
                      wanted="up to 63 letters, digits and '-', such as kitchen")
    record.kept["host_name"] = name
    page.take(f"host name {name}: the board is {name}.local")


def _time_zone(value: Value, places: Places, record: Record, page: Page) -> None:
    found = value.text or ""
    if not ZONE.fullmatch(found) or not (places.zones / found).is_file():
        raise Refused("timezone", line=value.line, found=shown(found), wanted="a time zone such as Europe/Berlin")
    record.kept["time_zone"] = found
    page.take(f"time zone {found}")


def _password_login(value: Value, places: Places, record: Record, page: Page) -> None:
    if (value.text or "").lower() == "unchanged":
        return
    if value.flag is None:
        raise Refused("ssh_pwauth", line=value.line, found=shown(value.text or "a list"), wanted="true or false")
    record.kept["password_login"] = value.flag
    page.take("ssh takes a password, too" if value.flag else "ssh takes keys only")


_TAKERS: dict[str, Taker] = {
    "hostname": _host_name, "fqdn": _host_name, "timezone": _time_zone, "ssh_pwauth": _password_login}
