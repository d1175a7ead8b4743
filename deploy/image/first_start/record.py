"""What the data partition keeps of an owner's settings: /data/system/settings.json, read by every slot, older or newer.

A slot reads the keys that it knows, and checks each. A key that it does not know, of a newer slot, is kept as it is and
written back, so nothing is lost when an update is rolled back. A key's meaning never changes: a new meaning gets a new key.
The schema number says which slot wrote last; no slot refuses a higher one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from . import durable
from .places import Places

SCHEMA = 1
HOST_NAME = "edge-audio"
"""Of a board whose owner named none."""


@dataclass
class User:
    """One account. sudo: "" (none), "password" or "free"; hash: of the password, "" for none."""

    name: str
    uid: int
    hash: str = ""
    keys: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    shell: str = "/bin/bash"
    gecos: str = ""
    sudo: str = ""

    @classmethod
    def read(cls, found: object) -> User | None:
        """The user of a record; None where name or uid is none. Keys of a newer slot are left out."""
        if not isinstance(found, Mapping) or not isinstance(found.get("name"), str) or not isinstance(found.get("uid"), int):
            return None
        user = cls(found["name"], found["uid"])
        for each in fields(cls):
            value = found.get(each.name)
            if isinstance(value, str) and isinstance(getattr(user, each.name), str):
                setattr(user, each.name, value)
            elif isinstance(value, list) and isinstance(getattr(user, each.name), list):
                setattr(user, each.name, [text for text in value if isinstance(text, str)])
        return user


@dataclass
class Record:
    """The settings in force. kept: everything that the file holds, so that unknown keys are written back."""

    kept: dict[str, Any] = field(default_factory=dict)
    broken: bool = False
    """The file was there and could not be read: somebody edited it, or the card is failing."""

    def text(self, key: str) -> str:
        value = self.kept.get(key)
        return value if isinstance(value, str) else ""

    def flag(self, key: str) -> bool:
        return self.kept.get(key) is True

    def table(self, key: str) -> dict[str, Any]:
        """The table of this key, made where it is missing: what is put into it is kept."""
        if not isinstance(self.kept.get(key), dict):
            self.kept[key] = {}
        table: dict[str, Any] = self.kept[key]
        return table

    @property
    def users(self) -> list[User]:
        found = self.kept.get("users")
        return [user for each in found if (user := User.read(each))] if isinstance(found, list) else []

    def set_users(self, users: list[User]) -> None:
        """Keep these users; what a newer slot wrote of one of them stays."""
        found = self.kept.get("users")
        before = {each["name"]: each for each in found if isinstance(each, dict) and isinstance(each.get("name"), str)} \
            if isinstance(found, list) else {}
        self.kept["users"] = [{**before.get(user.name, {}), **vars(user)} for user in users]

    def uid_of(self, name: str) -> int:
        """The user's number, from 1000; a name keeps its number for good, for its files bear that."""
        uids = self.table("uids")
        if not isinstance(uids.get(name), int):
            uids[name] = max([999, *(uid for uid in uids.values() if isinstance(uid, int))]) + 1
        uid: int = uids[name]
        return uid

    @property
    def starts_ssh(self) -> bool:
        """Only a key starts ssh; a password alone never does."""
        return any(user.keys for user in self.users)


def load(places: Places) -> Record:
    """The record; an empty one where there is none or none that can be read."""
    try:
        kept = json.loads(places.record.read_bytes())
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, RecursionError):
        return Record(broken=True)
    return Record(kept) if isinstance(kept, dict) else Record(broken=True)


def save(places: Places, record: Record) -> None:
    """Put the record in place, for root alone."""
    places.system.mkdir(parents=True, exist_ok=True)
    if record.broken:
        durable.write(places.system / "settings.json.broken", places.record.read_bytes(), 0o600)
        record.broken = False
    content = {**record.kept, "schema": SCHEMA}
    durable.write_if_other(places.record, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n", 0o600)
