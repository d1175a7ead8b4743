"""The broker's password and our certificate's key, from files that nobody else can read, or from systemd.

No content of a file is ever part of an error, a log line or a repr: they name the file only.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edge.errors import SettingsError
from edge.settings import MqttSettings

LONGEST = 65_535
"""Bytes of the longest password that MQTT can carry (section 1.5.6 of version 5)."""


class NotHandedOver(SettingsError):
    """A credential, which systemd hands to a service, in a process that was handed none."""


def read_password(settings: MqttSettings) -> str | None:
    """The first line of the password's file without its line break, or None where the settings name none.

    Raises SettingsError where the file or credential is missing, read by others, or holds no password.
    """
    if not settings.password_file and not settings.password_credential:
        return None
    if not settings.user:
        key = "password_file" if settings.password_file else "password_credential"
        raise SettingsError("[mqtt] user", found="nothing", wanted=f"the user whose password [mqtt] {key} holds")
    wanted = "a file whose first line is the password"
    thing, path = _place("password", settings.password_file, settings.password_credential)
    line = read_file(thing, path, wanted, secret=bool(settings.password_file)).partition(b"\n")[0].rstrip(b"\r")
    if not line:
        raise SettingsError(thing, found="an empty first line", wanted=wanted)
    if len(line) > LONGEST:
        raise SettingsError(thing, found=f"a first line of {len(line)} bytes or more", wanted=wanted)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsError(thing, found="bytes that are not UTF-8", wanted=wanted) from None


def find_key(settings: MqttSettings) -> tuple[str, Path]:
    """How errors call our certificate's key, and its file. Raises SettingsError as `read_password` does."""
    thing, path = _place("tls_key", settings.tls_key_file, settings.tls_key_credential)
    if not read_file(thing, path, "a PEM file of a key", secret=bool(settings.tls_key_file)):
        raise SettingsError(thing, found="an empty file", wanted="a PEM file of a key")
    return thing, path


def secret_places(settings: MqttSettings) -> tuple[list[str], list[str]]:
    """How errors call each secret: those that are usable, and the credentials that only the service can look at.

    Raises SettingsError as `read_password` does; of credentials, where this process was handed any.
    """
    usable, unseen = [], []

    def password() -> str | None:
        return None if read_password(settings) is None else _place(
            "password", settings.password_file, settings.password_credential)[0]

    def key() -> str | None:
        return find_key(settings)[0] if settings.tls_certificate_file else None

    for look in (password, key):
        try:
            place = look()
        except NotHandedOver as error:
            unseen.append(error.thing)
        else:
            usable += [] if place is None else [place]
    return usable, unseen


def _place(what: str, file: str, credential: str) -> tuple[str, Path]:
    """How errors call a file or systemd credential (systemd.exec(5), LoadCredential=), and its path."""
    if file:
        return f"[mqtt] {what}_file {file}", Path(file)
    thing = f"[mqtt] {what}_credential"
    if "/" in credential or credential in ("", ".", ".."):
        raise SettingsError(thing, found=repr(credential), wanted="the name that systemd's LoadCredential= gives it")
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise NotHandedOver(f"{thing} {credential}", found="no CREDENTIALS_DIRECTORY: not started by systemd with one",
                            wanted=f"LoadCredential={credential}:FILE in the service's unit")
    return f"{thing} {credential}", Path(folder) / credential


def read_file(thing: str, path: Path, wanted: str, *, secret: bool) -> bytes:
    """The first bytes of a plain file, which with `secret` no other may read. Raises SettingsError."""
    try:
        # The opened file is asked for its mode, for it is the one that is read. O_NONBLOCK: a FIFO would block.
        line = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(line, "rb") as file:
            status = os.fstat(line)
            if not stat.S_ISREG(status.st_mode):
                raise SettingsError(thing, found="no plain file", wanted=wanted)
            if secret:
                _refuse_shared(thing, status)
            return file.read(LONGEST + 2)
    except OSError as error:
        raise SettingsError(thing, found=(error.strerror or str(error)).lower(), wanted=wanted) from error


def _refuse_shared(thing: str, status: os.stat_result) -> None:
    """Raise SettingsError unless only its owner can read the secret: mode 0600 or less.

    One exception, usual for services: root owns the file and the service's own group may read it (0640
    root:edge-audio), so that the service cannot change it. Any other group is refused, for it may have other
    members. Credentials are not checked: systemd's access lists show as group bits.
    """
    mode = stat.S_IMODE(status.st_mode)
    ours_by_group = status.st_uid == 0 != os.geteuid() and status.st_gid == os.getegid()
    if mode & (0o037 if ours_by_group else 0o077):
        raise SettingsError(thing, found=f"mode {mode:04o}, by which others can read or change it",
                            wanted="mode 0600 (chmod 600), or root's with mode 0640 and the service's own group")
