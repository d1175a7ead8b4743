"""What Raspberry Pi Imager writes on the boot partition for `init_format: cloudinit`, line by line, for tests.

Version 2 is written after captures of Imager 2.0.10 and its generator's source; version 1 after Imager 1.8. Keys, hashes and
passwords are made here: nobody's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

GROUPS = "users,adm,dialout,audio,netdev,video,plugdev,cdrom,games,input,gpio,spi,i2c,render,sudo"
META_DATA = "instance-id: rpi-imager-1783287924709\n"
CMDLINE = "console=serial0,115200 console=tty1 cfg80211.ieee80211_regdom=GB ds=nocloud;i=rpi-imager-1783287924709"


def key(name: str) -> str:
    """A public key's line, well formed; nobody has its other half."""
    kind = b"ssh-ed25519"
    blob = len(kind).to_bytes(4, "big") + kind + (32).to_bytes(4, "big") + hashlib.sha256(name.encode()).digest()
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {name}"


def password_hash(name: str) -> str:
    """Of the form of yescrypt, as Imager 2 writes hashes; of no password."""
    return f"$y$jB5${hashlib.sha256(name.encode()).hexdigest()[:22]}${hashlib.sha256(name.encode()).hexdigest()[:43]}"


def psk(password: str, ssid: str) -> str:
    """The 64 digits that Imager writes in place of a Wi-Fi password."""
    return hashlib.pbkdf2_hmac("sha1", password.encode(), ssid.encode(), 4096, 32).hex()


def user_data(*, host: str = "", zone: str = "Europe/London", user: str = "", hashed: str = "", keys: Sequence[str] = (),
              password_login: bool = False) -> str:
    """user-data of Imager 2."""
    lines = ["#cloud-config", "manage_resolv_conf: false", ""]
    if host:
        lines += [f"hostname: {host}", "manage_etc_hosts: true", "packages:", "- avahi-daemon", "apt:",
                  "  preserve_sources_list: true", "  conf: |", "    Acquire {", '      Check-Date "false";', "    };"]
    lines += [f"timezone: {zone}", "keyboard:", "  model: pc105", '  layout: "gb"']
    if user:
        lines += ["user:", f"  name: {user}", "  shell: /bin/bash", f"  lock_passwd: {'false' if hashed else 'true'}"]
        lines += [f'  passwd: "{hashed}"'] * bool(hashed)
        lines += [*["  ssh_authorized_keys:"] * bool(keys), *(f"    - {each}" for each in keys)]
        lines += [f"ssh_pwauth: {'true' if password_login else 'false'}"]
        lines += ["runcmd:", "  - [ systemctl, enable, --now, ssh ]"]
    return "\n".join([*lines, ""])


def user_data_1(*, host: str, user: str, hashed: str = "", keys: Sequence[str] = ()) -> str:
    """user-data of Imager 1."""
    lines = ["#cloud-config", f"hostname: {host}", "manage_etc_hosts: true", "packages:", "- avahi-daemon",
             "apt:", "  conf: |", "    Acquire {", '      Check-Date "false";', "    };", "",
             "users:", f"- name: {user}", f"  groups: {GROUPS}", "  shell: /bin/bash",
             f"  lock_passwd: {'false' if hashed else 'true'}", *[f"  passwd: {hashed}"] * bool(hashed),
             *["  ssh_authorized_keys:"] * bool(keys), *(f"    - {each}" for each in keys),
             "  sudo: ALL=(ALL) NOPASSWD:ALL", "", "timezone: Europe/London", "runcmd:",
             "- localectl set-x11-keymap \"gb\" pc105",
             "- setupcon -k --force || true", "", ""]
    return "\n".join(lines)


def network_config(ssid: str = "", digits: str = "", *, hidden: bool = False, country: str = "GB") -> str:
    """network-config of Imager 2. digits: as `psk` makes them, "" for an open network."""
    lines = ["network:", "  version: 2", "  ethernets:", "    eth0:", "      dhcp4: true", "      dhcp6: true",
             "      optional: true"]
    if ssid:
        lines += ["  wifis:", "    wlan0:", "      dhcp4: true", f'      regulatory-domain: "{country}"',
                  "      access-points:", f'        "{ssid}":', *["          hidden: true"] * hidden]
        lines += [f'          password: "{digits}"'] if digits else ["          auth:", "            key-management: none"]
        lines += ["      optional: true"]
    return "\n".join([*lines, ""])


def network_config_1(ssid: str, digits: str) -> str:
    """network-config of Imager 1, which has no `network:` at its top."""
    return ("version: 2\nwifis:\n  renderer: networkd\n  wlan0:\n    dhcp4: true\n    optional: true\n    access-points:\n"
            f'      "{ssid}":\n        password: "{digits}"\n')
