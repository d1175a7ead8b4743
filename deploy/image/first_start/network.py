"""network-config: netplan's version 2, as Imager writes it: wired ports and Wi-Fi. The country may stand in cmdline.txt."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import yaml

from .errors import Refused, shown, without
from .live import ran
from .owner_yaml import Value, is_blank, parse
from .places import Places
from .record import Record
from .report import Page

INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}")
COUNTRY = re.compile(r"[A-Z]{2}")
SECONDS = 60.0
KINDS = ("ethernets", "wifis")
LOCAL = "10-edge-audio.yaml"
"""The slot's own file: DHCP on every wired port."""


def take_network(content: bytes, places: Places, record: Record, page: Page) -> Value:
    """Put the network into the record. An interface that is refused stays as it was; one that is not named is gone.

    Raises Refused for a file that cannot be read, that names no version 2, or that netplan does not take.
    """
    document = parse(content)
    if document.is_nothing or not document.content:
        return document
    top = document.items.get("network", document)
    if not isinstance(top.content, dict):
        raise Refused("network", line=top.line, found="no table", wanted="version: 2 below, and ethernets or wifis")
    version = top.items.get("version")
    if version is None or version.text != "2":
        raise Refused("network: version", line=version.line if version else top.line, wanted="2",
                      found=shown(version.text or "a list") if version else "none")
    former = record.table("network")
    network: dict[str, dict[str, Any]] = {}
    said: list[str] = []
    for kind, value in top.items.items():
        if kind in KINDS:
            network[kind] = {}
            for name, interface in _interfaces(kind, value, page).items():
                if name == "renderer":  # Imager 1 writes it here
                    continue
                before = former.get(kind, {}).get(name) if isinstance(former.get(kind), dict) else None
                try:
                    network[kind][name], words = _interface(kind, name, interface, before)
                    said.append(words)
                except Refused as refused:
                    page.refuse(refused)
                    if before is not None:
                        network[kind][name] = before
        elif kind not in ("version", "renderer"):
            page.ignore(value.line, kind if INTERFACE.fullmatch(kind) else shown(kind, 40),
                        "not used: wired ports and Wi-Fi only")
    secrets = {each.text or "" for each in document.secrets()}
    _ask_netplan(places, network, secrets)
    record.kept["network"] = network
    for line in said or ["no network of its own: wired ports ask DHCP"]:
        page.take(line)
    _country(top, record, page)
    return document


def take_country(content: bytes, record: Record, page: Page) -> None:
    """The Wi-Fi country that Imager adds to cmdline.txt; nothing else of that file is used."""
    found = re.findall(rb"\bcfg80211\.ieee80211_regdom=(\S*)", content)
    if not found:
        return
    name = found[-1].decode("ascii", "replace").upper()
    if not COUNTRY.fullmatch(name):
        raise Refused("cfg80211.ieee80211_regdom", found=shown(name), wanted="two letters, such as DE")
    record.kept["country"] = name
    page.take(f"Wi-Fi country {name}")


def _interfaces(kind: str, value: Value, page: Page) -> dict[str, Value]:
    if not isinstance(value.content, dict):
        if not value.is_nothing:
            page.refuse(Refused(kind, line=value.line, found="no table", wanted="the names of interfaces, such as wlan0:"))
        return {}
    return value.content


def _interface(kind: str, name: str, value: Value, before: Any) -> tuple[dict[str, Any], str]:
    """netplan's table of one interface, and what the report says of it."""
    if not INTERFACE.fullmatch(name):
        raise Refused(kind, line=value.line, found=shown(name), wanted="the name of an interface, such as wlan0")
    if not isinstance(value.content, dict):
        raise Refused(name, line=value.line, found="no table", wanted="keys such as dhcp4: true")
    table = dict(value.plain())  # type: ignore[call-overload]
    if kind == "ethernets":
        return table, f"wired port {name}"
    points = value.items.get("access-points")
    if points is None or not points.items:
        raise Refused(f"{name}: access-points", line=value.line, found="none",
                      wanted="the network's name, and below it the password")
    known = before.get("access-points", {}) if isinstance(before, dict) else {}
    table["access-points"] = {ssid: _access_point(name, ssid, point, known.get(ssid))
                              for ssid, point in points.items.items()}
    country = value.items.get("regulatory-domain")
    if country is not None:
        table["regulatory-domain"] = _checked_country(f"{name}: regulatory-domain", country)
    return table, f"Wi-Fi {', '.join(shown(ssid) for ssid in points.items)} on {name}"


def _access_point(name: str, ssid: str, value: Value, before: Any) -> dict[str, Any]:
    if not 1 <= len(ssid.encode()) <= 32:
        raise Refused(f"{name}: access-points", line=value.line, found=f"a name of {len(ssid.encode())} bytes",
                      wanted="a name of 1 to 32 bytes")
    if value.is_nothing:
        return {}
    if not isinstance(value.content, dict):
        raise Refused(f"{name}: {shown(ssid)}", line=value.line, found="no table", wanted="password: and the password")
    point: dict[str, Any] = dict(value.plain())  # type: ignore[call-overload]
    where = [(value.items, point, before)]
    if "auth" in value.items and isinstance(point["auth"], dict):
        where.append((value.items["auth"].items, point["auth"], before.get("auth") if isinstance(before, dict) else None))
    for items, table, former in where:
        if "password" in items:
            table["password"] = _password(f"{name}: password", items["password"], former, psk="key-management" not in table
                                          or table["key-management"] in ("psk", "sae"))
            if not table["password"]:  # Imager writes an empty one for an open network
                del table["password"]
    return point


def _password(key: str, value: Value, former: Any, *, psk: bool) -> str:
    found = value.text
    if found is None:
        raise Refused(key, line=value.line, found="a list or a table", wanted="the password")
    kept = former.get("password") if isinstance(former, dict) else None
    if is_blank(found) and isinstance(kept, str):
        return kept
    if is_blank(found):
        raise Refused(key, line=value.line, found="the mark of a password taken before, and none was for this network",
                      wanted="the password")
    if found and psk and not 8 <= len(found) <= 63 and not re.fullmatch(r"[0-9A-Fa-f]{64}", found):
        raise Refused(key, line=value.line, found=f"{len(found)} letters", wanted="8 to 63, or 64 digits of a key")
    return found


def _checked_country(key: str, value: Value) -> str:
    name = (value.text or "").upper()
    if not COUNTRY.fullmatch(name):
        raise Refused(key, line=value.line, found=shown(value.text or "a list"), wanted="two letters, such as DE")
    return name


def _country(top: Value, record: Record, page: Page) -> None:
    wifis = top.items["wifis"].items if "wifis" in top.items else {}
    for name, interface in wifis.items():
        value = interface.items.get("regulatory-domain")
        if value is not None and record.table("network").get("wifis", {}).get(name, {}).get("regulatory-domain"):
            record.kept["country"] = record.table("network")["wifis"][name]["regulatory-domain"]
            page.take(f"Wi-Fi country {record.kept['country']}")
            return


def as_netplan(network: dict[str, Any], country: str = "") -> bytes:
    """The file for /run/netplan. DHCP goes by the port's own address, so the board's does not change with the slot."""
    out: dict[str, Any] = {"version": "2"}
    for kind in KINDS:
        for name, table in (network.get(kind) or {}).items():
            table = dict(table)
            if any(str(table.get(key, "")).lower() in ("true", "yes", "on") for key in ("dhcp4", "dhcp6")):
                table.setdefault("dhcp-identifier", "mac")
            if kind == "wifis" and country:
                table.setdefault("regulatory-domain", country)
            out.setdefault(kind, {})[name] = table
    return yaml.safe_dump({"network": out}, default_style='"', width=1000).encode()


def _ask_netplan(places: Places, network: dict[str, Any], secrets: set[str]) -> None:
    """Let netplan judge, where it is there. Raises Refused, and OSError where it does not answer."""
    program = places.netplan_generate
    if not program.exists() or not any(network.values()):
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "etc" / "netplan" / "90-owner.yaml"
        file.parent.mkdir(parents=True)
        file.touch(0o600)
        file.write_bytes(as_netplan(network))
        done = ran("netplan", program, "--root-dir", folder, seconds=SECONDS)
    if done.returncode:
        # Only the line that says what is wrong: below it netplan quotes the file.
        said = next((line for line in done.stderr.splitlines() if "rror" in line), "no reason given")
        said = without(re.sub(r"\S*/90-owner\.yaml:\d+:\d+: ?", "", said), secrets)
        raise Refused("network", found=f"what netplan does not take ({said[:200]})", wanted="netplan's version 2")
