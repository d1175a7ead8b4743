"""The users of user-data: as `users:`, as `user:`, or as keys for nobody in particular."""

from __future__ import annotations

import base64
import binascii
import re

from .errors import Refused, hidden, shown
from .owner_yaml import Value, is_blank
from .places import Places
from .record import Record, User
from .report import Page

NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
HASH = re.compile(r"\$(y|gy|7|2[abxy]|6|5)\$[./A-Za-z0-9$=,]{8,200}")
"""What crypt(5) of Debian 13 takes, without the old ones (MD5, DES)."""
KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
             "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")
SHELLS = ("/bin/bash", "/bin/sh", "/usr/bin/bash")
GROUPS = ("adm", "audio", "gpio", "plugdev", "sudo", "systemd-journal", "users", "video")
"""Those of a user for whom the file names none."""
NOBODY = "pi"
"""Who gets keys that are given to nobody, as with Imager."""
KNOWN = ("name", "gecos", "passwd", "hashed_passwd", "lock_passwd", "ssh_authorized_keys", "sudo", "groups", "shell")
SUDO_FREE = re.compile(r"ALL=\(ALL(:ALL)?\)\s*NOPASSWD:\s*ALL")
SUDO = re.compile(r"ALL=\(ALL(:ALL)?\)\s*ALL")


def take_users(document: Value, places: Places, record: Record, page: Page) -> None:
    """The users of the document into the record; where it names none, they stay as they were."""
    top = document.items
    entries = _entries(top, page)
    loose = _keys(top["ssh_authorized_keys"], page) if "ssh_authorized_keys" in top else None
    if entries is None and loose is None:
        return
    before = {user.name: user for user in record.users}
    users = list(before.values()) if entries is None else []
    for value in entries or []:
        try:
            user = _user(value, places, record, before, page)
        except Refused as refused:
            page.refuse(refused)
            name = value.items["name"].text if "name" in value.items else None
            users += [before[name]] if name in before and all(each.name != name for each in users) else []
            continue
        users = [each for each in users if each.name != user.name] + [user]
    if entries and not users:
        users = list(before.values())  # none of them could be taken
    if loose is not None:
        if not users and loose:
            users = [User(NOBODY, record.uid_of(NOBODY), groups=list(GROUPS), sudo="free")]
        own = [] if entries is None else users[0].keys if users else []
        if users:
            users[0].keys = list(dict.fromkeys([*own, *loose]))
    record.set_users(users)
    for user in users:
        page.take(_said(user))
    if not users:
        page.take("no user: nobody can log in")
    if users and not record.starts_ssh:
        page.take("ssh stays off: it starts only where a key is given (in Imager: allow public-key authentication)")


def _said(user: User) -> str:
    keys = "; ".join(_shown_key(key) for key in user.keys) or "none"
    sudo = {"": "no sudo", "free": "sudo without a password", "password": "sudo with the password"}[user.sudo]
    return f"user {user.name}: {'a password' if user.hash else 'no password'}, {sudo}, ssh keys: {keys}"


def _shown_key(key: str) -> str:
    kind, _, rest = key.partition(" ")
    comment = "".join(letter if letter.isprintable() else "?" for letter in rest.partition(" ")[2])[:40]
    return f"{kind} {comment}".strip()


def _entries(top: dict[str, Value], page: Page) -> list[Value] | None:
    """Each user's table; None where the file names no user."""
    found: list[Value] | None = None
    for key in ("user", "users"):
        if key not in top or top[key].is_nothing:
            continue
        content = top[key].content
        found = found or []
        for each in content if isinstance(content, list) else [top[key]]:
            if each.text is not None and each.text != "default":
                each = Value({"name": each}, each.line)
            if isinstance(each.content, dict):
                found.append(each)
            elif each.text is None:
                page.refuse(Refused(key, line=each.line, found="a list in a list", wanted="a table with a name"))
    return found


def _user(value: Value, places: Places, record: Record, before: dict[str, User], page: Page) -> User:
    items = value.items
    name = items["name"].text if "name" in items else None
    if name is None or not NAME.fullmatch(name):
        raise Refused("users: name", line=value.line, found=shown(name) if name else "none",
                      wanted="a name of small letters, digits, '-' and '_', such as anna")
    if name in system_users(places):
        raise Refused("users: name", line=items["name"].line, found=shown(name), wanted="one that the system has no use for")
    user = User(name, record.uid_of(name))
    former = before.get(name)
    for key, each in items.items():
        if key == "plain_text_passwd":
            page.refuse(Refused(key, line=each.line, found="a password in plain words",
                                wanted="`passwd` with a hash, as `openssl passwd -6` prints one"))
        elif key not in KNOWN:
            page.ignore(each.line, key if NAME.fullmatch(key) else shown(key, 40), "not used for a user here")
    user.hash = _hash(items, former, page)
    if "ssh_authorized_keys" in items:
        user.keys = _keys(items["ssh_authorized_keys"], page)
    user.groups = _groups(items.get("groups"), page)
    user.sudo = _sudo(items.get("sudo"), user, page)
    shell = items["shell"].text if "shell" in items else None
    if shell in SHELLS:
        user.shell = "/bin/bash" if shell != "/bin/sh" else shell
    elif "shell" in items:
        page.refuse(Refused("users: shell", line=items["shell"].line, found=shown(shell or "a list"),
                            wanted=" or ".join(SHELLS)))
    gecos = (items["gecos"].text if "gecos" in items else None) or ""
    user.gecos = "".join(letter for letter in gecos if letter.isprintable() and letter not in ":,")[:80]
    return user


def system_users(places: Places) -> set[str]:
    """Names of the slot's own users and groups: those with a number below 1000, and nobody."""
    names = {"root", "nobody"}
    for file in ("passwd", "group"):
        try:
            lines = (places.etc / file).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        fields = [line.split(":") for line in lines]
        names |= {each[0] for each in fields if len(each) > 2 and each[2].isdigit() and int(each[2]) < 1000}
    return names


def _hash(items: dict[str, Value], former: User | None, page: Page) -> str:
    value = items.get("hashed_passwd") or items.get("passwd")
    if value is None or value.is_nothing:
        return ""
    if "hashed_passwd" not in items and "lock_passwd" in items and items["lock_passwd"].flag is True:
        return ""
    found = value.text or ""
    if is_blank(found) and former is not None and former.hash:
        return former.hash
    if not HASH.fullmatch(found):
        page.refuse(Refused("users: passwd", line=value.line, found="the mark of a password taken before, and none was"
                            if is_blank(found) else f"{hidden(found)} that is no hash",
                            wanted="a hash, as `openssl passwd -6` prints one"))
        return former.hash if former is not None else ""
    return found


def _keys(value: Value, page: Page) -> list[str]:
    found = value.texts()
    if found is None:
        page.refuse(Refused("ssh_authorized_keys", line=value.line, found="a table", wanted="a list of public keys"))
        return []
    lines = value.content if isinstance(value.content, list) else [value]
    keys = []
    for text, each in zip(found, lines, strict=False):
        for line in filter(None, map(str.strip, text.splitlines())):
            if is_key(line):
                keys.append(line)
            else:
                page.refuse(Refused("ssh_authorized_keys", line=each.line, found=f"{hidden(line)} that is no public key",
                                    wanted=f"a line of a .pub file, such as {KEY_TYPES[0]} AAAA... name"))
    return list(dict.fromkeys(keys))


def is_key(line: str) -> bool:
    """Whether a line is a public key of a type that OpenSSH of Debian 13 takes."""
    kind, _, rest = line.partition(" ")
    if kind not in KEY_TYPES or not line.isprintable():
        return False
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except (binascii.Error, ValueError):
        return False
    head = len(kind).to_bytes(4, "big") + kind.encode()
    return blob.startswith(head) and len(blob) > len(head) + 32


def _groups(value: Value | None, page: Page) -> list[str]:
    if value is None or value.is_nothing:
        return list(GROUPS)
    found = value.texts()
    names = [name.strip() for text in found or [] for name in text.split(",")]
    if found is None or not all(NAME.fullmatch(name) for name in names):
        page.refuse(Refused("users: groups", line=value.line, found="no list of names", wanted="names with commas between"))
        return list(GROUPS)
    return [*names, *(["systemd-journal"] if "adm" in names else [])]


def _sudo(value: Value | None, user: User, page: Page) -> str:
    """A user without a password has nothing else than the key to prove who asks."""
    usual = ("password" if user.hash else "free") if "sudo" in user.groups else ""
    if value is None:
        return usual
    if value.is_nothing or value.flag is False:
        user.groups = [name for name in user.groups if name != "sudo"]
        return ""
    rules = value.texts() or []
    if any(SUDO_FREE.fullmatch(rule.strip()) for rule in rules):
        return "free"
    if any(SUDO.fullmatch(rule.strip()) for rule in rules):
        return "password" if user.hash else "free"
    page.refuse(Refused("users: sudo", line=value.line, found=shown(rules[0]) if rules else "no rule",
                        wanted="ALL=(ALL) NOPASSWD:ALL, ALL=(ALL) ALL, or false"))
    return usual
