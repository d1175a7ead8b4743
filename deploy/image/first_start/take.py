"""`take`: what is new on the boot partition goes to the data partition; then its secrets leave the boot partition.

In this order, so that a power cut at any moment loses nothing: the passwords, the settings, the record (with the
mark of each file, and with the places of its secrets), then an x over every byte of the secrets. A start that finds the
record without the x finishes them. A file counts as new when it is not what was left of it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import durable, record, report
from . import page as the_page
from .appliance import Judge, Taken, judge_again, put, put_defaults, read_settings
from .durable import Span
from .errors import Refused
from .live import call
from .network import take_country, take_network
from .owner_yaml import LARGEST, Value, is_blank, parse
from .places import Places
from .record import HOST_NAME, Record
from .report import Page
from .userdata import take_meta_data, take_user_data

SETTINGS = "edge-audio.toml"
FILES = ("user-data", "meta-data", "network-config", "cmdline.txt", SETTINGS)
OTHERS = {
    "firstrun.sh": "Raspberry Pi Imager wrote this for another kind of system: choose the image by its manifest, "
                   "edge-audio.rpi-imager-manifest. Delete the file, it holds passwords",
    "custom.toml": "not read; use user-data and network-config. Delete the file if it holds passwords",
    "wpa_supplicant.conf": "not read; write the Wi-Fi into network-config. Delete the file, it holds a password",
    "userconf.txt": "not read; write the user into user-data. Delete the file, it holds a password",
    "userconf": "not read; write the user into user-data. Delete the file, it holds a password",
    "ssh": "not needed; ssh starts where user-data gives a key",
    "ssh.txt": "not needed; ssh starts where user-data gives a key",
}
"""Files that other systems read here. None of them is taken."""


class Taking:
    """One run of `take`."""

    def __init__(self, places: Places, judge: Judge, keeper: the_page.Keeper) -> None:
        self.places, self.judge, self.keeper = places, judge, keeper
        self.record: Record = record.load(places)
        self.version = places.image_version()
        self.entries = self.record.table("files")
        self.settings: Taken | None = None
        self.blank: dict[str, bytes] = {}
        """What is to be written over files of the boot partition, once all else is safe."""
        self.remarks: list[str] = []

    def run(self) -> bool:
        """Read, keep, blank, report. Returns whether everything that was new was taken."""
        was_broken = self.record.broken
        for name in FILES:
            self._file(name)
        if was_broken:
            self.remarks.append("The former settings could not be read; they lie in /data/system/settings.json.broken.")
        self._other_slot()
        if self.settings is not None:
            put(self.settings, self.places)
            durable.write_if_other(self.places.served(self.version), self.settings.settings)
        put_defaults(self.places)
        record.save(self.places, self.record)
        with writable(self.places, self._needs_boot):
            for name, content in self.blank.items():
                durable.overwrite(self.places.boot / name, content)
            self._all_blank()
            if self.places.boot.is_dir():
                durable.write_if_other(self.places.report, self._report())
        return not any(entry.get("refused") for entry in self.entries.values() if isinstance(entry, dict))

    def _other_slot(self) -> None:
        """Settings that another slot judged are judged once by this one."""
        if self.settings is not None:
            self.record.kept.update(settings_latest=digest(self.settings.settings), settings_remark="")
        elif self.record.text("settings_by") != self.version:
            try:
                settings = judge_again(self.places, self.record, self.judge, self.version)
            except OSError as error:
                print(f"edge-audio-first-start: {error}; the next start tries again", file=sys.stderr)
                return
            self.settings = None if settings is None else Taken(settings, None)
        self.record.kept["settings_by"] = self.version

    def _file(self, name: str) -> None:
        path = self.places.boot / name
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            self.remarks.append(f"{name} could not be read: {error.strerror}.")
            return
        entry = self.entries.get(name)
        if isinstance(entry, dict) and self._is_known(name, content, entry):
            return
        self._take(name, content)

    def _is_known(self, name: str, content: bytes, entry: dict[str, Any]) -> bool:
        """Whether this content was read before. What a power cut left of its secrets is blanked now."""
        left = durable.blanked(content, spans_of(entry)) if entry.get("pending") is True else content
        if digest(left) != entry.get("left"):
            return False
        if left != content:
            self.blank[name] = left
        # Another slot may take what this one's forerunner refused.
        return not entry.get("refused") or entry.get("by") == self.version

    def _all_blank(self) -> None:
        """From here on a file that differs in nothing but a secret is a new one of the owner's."""
        pending = [entry for entry in self.entries.values() if isinstance(entry, dict) and entry.get("pending")]
        for entry in pending:
            entry["pending"] = False
        if pending:
            record.save(self.places, self.record)

    def _take(self, name: str, content: bytes) -> None:
        page, again = Page(), False
        spans: tuple[Span, ...] = ()
        before = dict(self.record.kept)
        try:
            spans = self._read(name, content, page)
        except Refused as refused:
            page.refuse(refused)
        except OSError as error:  # nobody could judge; it is tried again at the next start
            again = True
            page.refuse(Refused("", found=f"no way to check it ({error})", wanted="a check; the next start tries again"))
        except Exception as error:  # whatever stands in a file: the board starts, and hears
            print(f"edge-audio-first-start: {name}: {type(error).__name__}, a mistake of the program", file=sys.stderr)
            self.record.kept = {**before, "files": self.entries}
            page = Page()
            page.refuse(Refused("", found="something the program did not expect", wanted="a report of this to its makers"))
        left = durable.blanked(content, spans)
        if spans and not self._still_reads(name, content, left):
            spans, left = (), content
            page.refused.append("the password could not be taken out of this file: delete it by hand")
        if left != content:
            self.blank[name] = left
        self.entries[name] = {"left": "" if again else digest(left), "secrets": [list(span) for span in spans],
                              "pending": left != content, "refused": bool(page.refused), "by": self.version, **page.lines()}

    def _read(self, name: str, content: bytes, page: Page) -> tuple[Span, ...]:
        """Take a file into the record; where its secrets lie that were taken."""
        if name == SETTINGS:
            self.settings = read_settings(content, self.places, self.judge, self.keeper, page)
            return self.settings.spans
        if name == "cmdline.txt":
            take_country(content, self.record, page)
            return ()
        if name == "user-data":
            document = take_user_data(content, self.places, self.record, page)
        elif name == "meta-data":
            document = take_meta_data(content, self.places, self.record, page)
        else:
            document = take_network(content, self.places, self.record, page)
        kept = set(secrets_of(self.record.kept))
        return tuple(span for each in document.secrets() if each.text in kept and not is_blank(each.text or "")
                     for span in each.spans)

    def _still_reads(self, name: str, content: bytes, left: bytes) -> bool:
        """Whether only secrets are other: a file that reads differently would be taken for a new one of the owner's."""
        if name == SETTINGS:
            return True
        try:
            return keys_of(parse(content)) == keys_of(parse(left))
        except Refused:
            return False

    def _needs_boot(self) -> bool:
        try:
            return bool(self.blank) or self.places.report.read_bytes() != self._report()
        except OSError:
            return self.places.boot.is_dir()

    def _report(self) -> bytes:
        pages = {}
        for name in FILES:
            entry = self.entries.get(name)
            lists = {each: [line for line in entry.get(each, []) if isinstance(line, str)] for each in
                     ("taken", "refused", "ignored") if isinstance(entry.get(each), list)} if isinstance(entry, dict) else {}
            if lists.get("refused") or any(lists.values()) or (isinstance(entry, dict) and name != "cmdline.txt"):
                pages[name] = lists
        found = [f"{name}: {why}." for name, why in OTHERS.items() if (self.places.boot / name).exists()]
        of_settings = [line for line in (self.record.text("settings_remark"),
                                         the_page.said(self.places, self.record.text("host_name") or HOST_NAME)) if line]
        return report.text(self.version, pages, [*self.remarks, *of_settings, *found]).encode()


def spans_of(entry: dict[str, Any]) -> list[Span]:
    """The places of a file's secrets, as the record keeps them; those of another form are left out."""
    found = entry.get("secrets")
    return [(each[0], each[1]) for each in found if isinstance(each, list) and len(each) == 2
            and all(isinstance(number, int) and number >= 0 for number in each)] if isinstance(found, list) else []


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def secrets_of(kept: Any, under: bool = False) -> Iterator[str]:
    """Every secret that the record holds: password hashes, and passwords of networks."""
    if isinstance(kept, dict):
        for key, value in kept.items():
            yield from secrets_of(value, under or key in ("hash", "password", "client-key-password", "private-key"))
    elif isinstance(kept, list):
        for value in kept:
            yield from secrets_of(value, under)
    elif under and isinstance(kept, str):
        yield kept


def keys_of(value: Value) -> object:
    """The shape of a document: its keys, without its texts."""
    if isinstance(value.content, dict):
        return {key: keys_of(each) for key, each in value.content.items()}
    return [keys_of(each) for each in value.content] if isinstance(value.content, list) else None


@contextmanager
def writable(places: Places, needed: Callable[[], bool]) -> Iterator[None]:
    """Mount the boot partition for writing where it is read-only, and only while that is needed."""
    remount = places.is_machine and needed() and bool(os.statvfs(places.boot).f_flag & os.ST_RDONLY)
    if remount:
        call("mount", "-o", "remount,rw", places.boot)
    try:
        yield
    finally:
        if remount:
            call("mount", "-o", "remount,ro", places.boot, must=False)


def take(places: Places, judge: Judge, keeper: the_page.Keeper) -> bool:
    """Take what is new. Returns False where something was refused. Raises OSError where /data cannot be written."""
    return Taking(places, judge, keeper).run()
