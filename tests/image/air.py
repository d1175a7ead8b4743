"""A Wi-Fi of the tests' own inside an emulated machine: two radios of mac80211_hwsim, and an access point on the second.

The image has no such driver: its modules come from the build's folder, where the same kernel is whole.
"""

from __future__ import annotations

import lzma
from pathlib import Path

from tests.image.machine import Machine

MODULES = ("net/mac80211/mac80211", "drivers/net/wireless/virtual/mac80211_hwsim")
ADDRESS = "10.99.0."
"""What the access point's DHCP server gives begins so."""


def raise_access_point(machine: Machine, key: Path, image: Path, ssid: str, digits: str) -> None:
    """wlan0 appears, and hears an access point of that name. digits: the 64 of its pre-shared key."""
    kernel = machine.ssh("uname -r", key).strip()
    machine.ssh("sudo modprobe -a cfg80211 libarc4", key)
    access = (f"network={{\nssid=\"{ssid}\"\nmode=2\nfrequency=2412\nkey_mgmt=WPA-PSK\nproto=RSN\npairwise=CCMP\n"
              f"psk={digits}\n}}\n")
    machine.ssh("cat > /tmp/access.conf", key, stdin=access.encode())
    served = f"[Match]\nName=wlan1\n[Network]\nAddress={ADDRESS}1/24\nDHCPServer=yes\n"
    machine.ssh("sudo tee /run/systemd/network/05-access.network > /dev/null && sudo networkctl reload", key,
                stdin=served.encode())
    for name in MODULES:
        packed = image / "base/usr/lib/modules" / kernel / "kernel" / f"{name}.ko.xz"
        machine.ssh("cat > /tmp/module.ko && sudo insmod /tmp/module.ko && rm /tmp/module.ko", key, timeout=120,
                    stdin=lzma.decompress(packed.read_bytes()))
    machine.ssh("sudo systemd-run --quiet --unit=access wpa_supplicant -i wlan1 -c /tmp/access.conf", key)
