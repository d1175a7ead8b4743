"""Whose word is taken for who looks: that of reverse proxies on this machine, and of those that the settings name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence


class Proxies:
    """Knows proxies by their addresses."""

    def __init__(self, trusted: Iterable[str]) -> None:
        """trusted: addresses and networks of proxies on other machines, as `check_page` lets them pass."""
        self._trusted = [ipaddress.ip_network(each) for each in trusted]

    def believes(self, address: str | None) -> bool:
        """Whether what comes from this address may be a proxy's word."""
        found = _plain(address or "")
        return found is not None and (found.is_loopback or any(found in network for network in self._trusted))

    def whose(self, peer: str | None, told: Sequence[str]) -> str:
        """Who asks: the peer, or what proxies say of it.

        told: the lines of `X-Forwarded-For`. Each proxy writes behind what it was sent whom it heard that from, so that
        the last address that is no proxy's is the browser's, and what stands before that is only the browser's word.
        """
        who = peer or ""
        for address in reversed([each.strip() for line in told for each in line.split(",")]):
            if not address or not self.believes(who):
                break
            who = address
        return who[:64]


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; that of IPv4 where a socket of IPv6 shows one (::ffff:127.0.0.1). None where there is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
