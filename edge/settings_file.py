"""TOML in, checked `Settings` out. Every mistake names the file, the key, what was found and what was wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, ClassVar

from edge.errors import SettingsError, nearest
from edge.model.table import FARTHEST, Table, hints_of, is_a, toml_document
from edge.settings import (
    VERBS,
    CommandSettings,
    DeviceSettings,
    GateSettings,
    JournalSettings,
    LogSettings,
    ModelSettings,
    MqttSettings,
    Settings,
    SourceSettings,
    TargetSettings,
    UpdateSettings,
    WatchSettings,
)
from edge.settings.page import PageSettings, check_page
from edge.settings.panel import ButtonSettings, LedSettings, check_panel
from edge.settings.pins import PinSettings, check_pins
from edge.stream import LOWEST_RATE

TABLES: dict[str, type[Any]] = {
    "device": DeviceSettings, "source": SourceSettings, "model": ModelSettings, "gate": GateSettings,
    "target": TargetSettings, "mqtt": MqttSettings, "pin": PinSettings, "button": ButtonSettings, "led": LedSettings,
    "command": CommandSettings, "journal": JournalSettings, "log": LogSettings, "watch": WatchSettings,
    "page": PageSettings, "update": UpdateSettings,
}
"""Every table of the settings file and the dataclass behind it."""

REPEATED = ("target", "pin", "button")
"""Tables written [[name]], any number of times."""


def load_settings(path: Path) -> Settings:
    """Read and check a settings file.

    Raises SettingsError for a file that cannot be read, is no TOML, or holds an unknown key or a wrong value.
    """
    try:
        if path.exists() and not path.is_file():
            raise SettingsError(f"settings {path}", found="no plain file", wanted="a readable TOML file")
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise SettingsError(f"settings {path}", found=error.strerror or str(error), wanted="a readable TOML file") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings {path}", found=f"bytes that are no UTF-8 at {error.start}", wanted="TOML") from error
    return parse_settings(toml_document(text, f"settings {path}", error=SettingsError, wanted="TOML"), where=str(path))


def parse_settings(document: Mapping[str, Any], *, where: str = "settings") -> Settings:
    """Check a parsed TOML document, table by table, then the parts together. Raises SettingsError."""
    _no_unknown(document, TABLES, where)
    parts: dict[str, Any] = {}
    for name, kind in TABLES.items():
        if name not in document:
            continue
        found = document[name]
        if name in REPEATED:
            if not isinstance(found, list):
                raise SettingsError(f"{where}: [{name}]", found="a single table", wanted=f"[[{name}]], one for each")
            parts[name] = tuple(
                _table(kind, entry, f"{where}: [[{name}]] {number}") for number, entry in enumerate(found, 1))
        else:
            parts[name] = _table(kind, found, f"{where}: [{name}]")
    settings = Settings(**parts)
    check_together(settings, where)
    return settings


def check_together(settings: Settings, where: str = "settings") -> None:
    """What no table can know alone: names that must be there, be unique, or meet. Raises SettingsError."""
    for what, name in [("[device] name", settings.device.name), *(("[[target]] name", t.name) for t in settings.target)]:
        if not _plain(name):
            raise SettingsError(f"{where}: {what}", found=repr(name), wanted="letters, digits, '-' and '_'")
    if 0 < settings.source.rate < LOWEST_RATE:
        raise SettingsError(f"{where}: [source] rate", found=str(settings.source.rate),
                            wanted=f"0, or {LOWEST_RATE} or more")
    _unique(f"{where}: [[target]] name", (target.name for target in settings.target))
    if settings.journal.sound and not settings.journal.events:
        raise SettingsError(f"{where}: [journal] sound", found="true, with events = 0", wanted="events to keep the sound of")
    _check_mqtt(settings.mqtt, f"{where}: [mqtt]")
    _unique(f"{where}: [command] allow", settings.command.allow)
    for verb in settings.command.allow:
        if verb not in VERBS:
            raise SettingsError(f"{where}: [command] allow", found=repr(verb),
                                wanted=f"of {', '.join(VERBS)}{_nearest(verb, VERBS)}")
    if settings.update.url and not re.match(r"https?://[^/@\s]+/\S*$", settings.update.url):
        raise SettingsError(f"{where}: [update] url", found=repr(settings.update.url),
                            wanted="an address that begins with https:// or http://, without user and password")
    check_pins(settings.pin, [target.name for target in settings.target], where)
    check_page(settings.page, f"{where}: ")
    check_panel(settings.pin, settings.button, settings.led, f"{where}: ")
    for target in settings.target:
        if target.threshold and target.release_threshold > target.threshold:
            raise SettingsError(f"{where}: [[target]] {target.name} release_threshold", found=str(target.release_threshold),
                                wanted=f"at most its threshold, {target.threshold}")


def _check_mqtt(mqtt: MqttSettings, where: str) -> None:
    """Nobody may believe that a connection is encrypted, verified or logged in when it is not."""
    if mqtt.host.count(":") == 1 or any(letter in "/, \t" for letter in mqtt.host):  # an IPv6 address has more colons
        raise SettingsError(f"{where} host", found=repr(mqtt.host),
                            wanted="one name or address and nothing else: port and tls are keys of their own")
    for name in (key.name for key, _, _ in keys(MqttSettings) if key.name.startswith("tls_")):
        if not mqtt.tls and getattr(mqtt, name):
            raise SettingsError(f"{where} {name}", found="a value, but tls = false", wanted="tls = true with it")
    if mqtt.tls_insecure and mqtt.tls_ca_file:
        raise SettingsError(f"{where} tls_insecure", found="true, with a tls_ca_file to verify with", wanted="one of them")
    for one, other in (("password_file", "password_credential"), ("tls_key_file", "tls_key_credential")):
        if getattr(mqtt, one) and getattr(mqtt, other):
            raise SettingsError(f"{where} {one}", found=f"a value, and {other} too", wanted="one of them")
    if bool(mqtt.tls_certificate_file) != bool(mqtt.tls_key_file or mqtt.tls_key_credential):
        raise SettingsError(f"{where} tls_certificate_file", found="only one of certificate and key",
                            wanted="with it tls_key_file or tls_key_credential, or none of them")


def keys(kind: type[Any]) -> Iterator[tuple[Field[Any], Any, Any]]:
    """Every key of a table: its field (help, low, high, choices in `metadata`), its type and its default."""
    hints = hints_of(kind)  # type: ignore[arg-type]
    for key in fields(kind):
        default = key.default_factory() if key.default_factory is not MISSING else key.default
        yield key, hints[key.name], default


class _Toml(Table):
    """A table of the settings, with their words in errors. A whole number serves as a pin's name too."""

    error = SettingsError
    words: ClassVar = {str: "a string in quotes", int: "a whole number", float: "a number", bool: "true or false"}
    lists: ClassVar = {str: "a list of strings, such as [\"one\", \"two\"]"}

    def shown(self, value: Any) -> str:
        return _kind_of(value)

    def _checked(self, key: str, value: Any, hint: Any, limits: Mapping[str, Any]) -> Any:
        if key == "pin" and is_a(int, value):
            value = str(value)
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str) and "\0" in text:  # no file, program or host has it in its name
                raise self.wrong(key, repr(text), "text without NUL")
        return super()._checked(key, value, hint, limits)


def _table(kind: type[Any], entry: object, where: str) -> Any:
    if not isinstance(entry, dict):
        raise SettingsError(where, found=_kind_of(entry), wanted="a table")
    _no_unknown(entry, (key.name for key, _, _ in keys(kind)), where)
    return _Toml(f"{where} ", entry).read(kind)


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return f"the value {str(value).lower()}"
    if isinstance(value, int) and not -FARTHEST <= value < FARTHEST:
        return "a whole number beyond 64 bits"
    for kind, words in ((str, "the string"), (int, "the whole number"), (float, "the number")):
        if isinstance(value, kind):
            return f"{words} {value!r}"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a table"
    return f"the value {value}"


def _no_unknown(entry: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    names = list(known)
    for name in entry:
        if name not in names:
            if name == "password" and "password_file" in names:
                raise SettingsError(where, found="a password", wanted="its file's name under password_file (chmod 600), or "
                                    "password_credential: secrets do not belong into settings")
            near = _nearest(name, names)
            raise SettingsError(where, found=f"the unknown key {name!r}", wanted=f"one of {', '.join(names)}{near}")


def _nearest(name: str, names: Iterable[str]) -> str:
    return "".join(f" (did you mean {near!r}?)" for near in nearest(name, names))


def _plain(name: str) -> bool:
    return bool(name) and all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name)


def _unique(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SettingsError(where, found=f"{name!r} twice", wanted="each name once")
        seen.add(name)
