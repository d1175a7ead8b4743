"""The passwords that an owner wrote into edge-audio.toml: where they stand, and what stands there afterwards."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from .durable import Span
from .errors import Refused
from .owner_yaml import letters
from .page import NETWORK

CREDENTIAL = "mqtt-password"
PASSWORD = re.compile(r"""(?P<key>"password"|'password'|\bpassword)\s*=\s*(?P<value>\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|"""
                      r""""(?:\\.|[^"\\\n])*"|'[^'\n]*')""")


@dataclass(frozen=True)
class Found:
    """A password in the text, from start to end with its key; instead: what stands there afterwards."""

    table: str
    password: str
    start: int
    end: int
    spans: tuple[Span, ...]
    instead: str


def passwords_in(text: str, document: dict[str, Any]) -> list[Found]:
    """Those of the broker and of the page. Raises Refused for one that cannot be taken out, or that nobody has."""
    return [each for each in (_of_broker(text, document), _of_page(text, document)) if each is not None]


def _of_broker(text: str, document: dict[str, Any]) -> Found | None:
    """The broker's password, in place of which the settings name the credential. Raises Refused."""
    mqtt = document.get("mqtt")
    if not isinstance(mqtt, dict) or "password" not in mqtt:
        return None
    password = _checked("mqtt", mqtt)
    for other in ("password_file", "password_credential"):
        if mqtt.get(other):
            raise Refused("[mqtt] password", found=f"a value, and {other} too", wanted="one of them")
    if not mqtt.get("user"):
        raise Refused("[mqtt] user", found="nothing", wanted="the user whose password [mqtt] password is")
    rest = {key: value for key, value in mqtt.items() if key not in ("password", "password_credential")}
    return _where(text, document, "mqtt", password, f'password_credential = "{CREDENTIAL}"',
                  {**rest, "password_credential": CREDENTIAL})


def _of_page(text: str, document: dict[str, Any]) -> Found | None:
    """The page's password, in place of which the settings open the page to the network. Raises Refused."""
    page = document.get("page")
    if not isinstance(page, dict) or "password" not in page:
        return None
    password = _checked("page", page)
    rest = {key: value for key, value in page.items() if key != "password"}
    if "bind" in rest:
        return _where(text, document, "page", password, "", rest)
    return _where(text, document, "page", password, f'bind = "{NETWORK}"', {**rest, "bind": NETWORK})


def _checked(table: str, keys: dict[str, Any]) -> str:
    password = keys["password"]
    if not isinstance(password, str) or not password or "\n" in password:
        raise Refused(f"[{table}] password", found="no text", wanted='the password in quotes, on one line: password = "..."')
    return password


def _where(text: str, document: dict[str, Any], table: str, password: str, instead: str, keys: dict[str, Any]) -> Found:
    """Where it stands: there the text can be changed so that the table has these keys. Raises Refused."""
    for match in PASSWORD.finditer(text):
        try:
            if tomllib.loads(text[:match.start()] + instead + text[match.end():]) == {**document, table: keys}:
                quotes = 3 if match["value"].startswith(('"""', "'''")) else 1
                spans = letters(text, match.start("value") + quotes, match.end("value") - quotes)
                return Found(table, password, match.start(), match.end(), spans, instead)
        except tomllib.TOMLDecodeError:
            continue
    raise Refused(f"[{table}] password", found="a form that is not understood",
                  wanted='a line of its own: password = "..."')
