"""The table of the page in the browser, `edge-audio page`. The appliance itself has no use for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from edge.errors import SettingsError
from edge.settings.key import key

_PREFIX = re.compile(r"(/[A-Za-z0-9_.~-]+)+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}(:[0-9]{{1,5}})?")


@dataclass(frozen=True, slots=True)
class PageSettings:
    """[page]: the page in the browser, which `edge-audio page` serves."""

    bind: str = key("127.0.0.1", "address to serve at; another than 127.0.0.1 or ::1 needs a password "
                                 "(edge-audio page --set-password); 0.0.0.0: all of this machine")
    port: int = key(8080, "TCP port; 0: any that is free", low=0, high=65_535)
    prefix: str = key("", "path below which a reverse proxy shows the page, such as /kitchen; empty: at the top")
    names: tuple[str, ...] = key((), "further host names under which browsers reach the page (a proxy's)")
    trusted_proxies: tuple[str, ...] = key((), "addresses or networks of reverse proxies on other machines, such as "
                                               "192.168.1.5, whose X-Forwarded-... headers are believed")
    shown_in: tuple[str, ...] = key((), "sites whose pages may show this one inside theirs, such as "
                                        "http://homeassistant.local:8123; empty: none")

    @property
    def local(self) -> bool:
        """Whether only programs of this machine can reach the page."""
        return ip_address(self.bind).is_loopback


def check_page(page: PageSettings, where: str = "") -> None:
    """Whether addresses, path and names are such. Raises SettingsError."""
    try:
        ip_address(page.bind)
    except ValueError as error:
        raise SettingsError(f"{where}[page] bind", found=repr(page.bind),
                            wanted="an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0") from error
    if not 0 <= page.port <= 65_535:  # of the command line
        raise SettingsError(f"{where}[page] port", found=str(page.port), wanted="0 to 65535")
    if page.prefix and not _PREFIX.fullmatch(page.prefix):
        raise SettingsError(f"{where}[page] prefix", found=repr(page.prefix),
                            wanted="nothing, or a path that begins with '/' and ends without, such as /kitchen")
    for name in page.names:
        if not _HOST.fullmatch(name):
            raise SettingsError(f"{where}[page] names", found=repr(name),
                                wanted="host names without scheme, port and path, such as board.local")
    for proxy in page.trusted_proxies:
        try:
            everybody = ip_network(proxy).prefixlen == 0
        except ValueError:
            everybody = True
        if everybody:
            raise SettingsError(f"{where}[page] trusted_proxies", found=repr(proxy),
                                wanted="addresses, such as 192.168.1.5, or networks that hold the proxy and nobody else, "
                                       "such as 172.30.32.0/23")
    for site in page.shown_in:
        if not _ORIGIN.fullmatch(site):
            raise SettingsError(f"{where}[page] shown_in", found=repr(site),
                                wanted="scheme, host and port as the browser shows them, without a path, such as "
                                       "http://homeassistant.local:8123 (browsers take no IPv6 address here)")
