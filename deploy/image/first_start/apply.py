"""`apply`: this boot as the record says. First files below /run, then, on the machine, mounts and services (live.py)."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
from collections.abc import Callable

from . import accounts, live, record
from . import page as the_page
from .appliance import put_defaults
from .durable import write
from .network import as_netplan
from .places import Places
from .record import HOST_NAME, Record

ZONE = "Etc/UTC"
FOLDERS = {"system": 0o700, "etc-edge-audio": 0o755, "etc-edge-audio/credentials": 0o700, "state": 0o700, "systemd": 0o755,
           "rauc": 0o700, "ssh": 0o700, "alsa": 0o755, "home": 0o755}
"""What the data partition must hold; a new card's is nearly empty."""
MOUNTED = (*accounts.FILES, "hostname", "hosts", "machine-id")
"""Files of /etc that are mounted over the slot's own."""


def apply(places: Places) -> int:
    """Make this boot so. A step that fails is said, and the others go on: the appliance starts whatever happens. 0 or 1."""
    settings = record.load(places)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("folders of /data", lambda: folders(places)), ("settings", lambda: put_defaults(places)),
        ("host name", lambda: host_name(places, settings)), ("machine id", lambda: machine_id(places)),
        ("time zone", lambda: time_zone(places, settings)), ("users", lambda: users(places, settings)),
        ("ssh", lambda: ssh(places, settings)), ("page", lambda: page(places)),
        ("network", lambda: network(places, settings))]
    if places.is_machine:
        steps.append(("this boot", lambda: live.make_so(places, MOUNTED, settings)))
        live.begin(places, MOUNTED)
    failed = 0
    for name, step in steps:
        try:
            step()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            failed = 1
            print(f"edge-audio: first start: {name}: {error}", file=sys.stderr)
    return failed


def folders(places: Places) -> None:
    for name, mode in FOLDERS.items():
        folder = places.data / name
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(mode)


def host_name(places: Places, settings: Record) -> None:
    name = settings.text("host_name") or HOST_NAME
    write(places.run / "etc" / "hostname", f"{name}\n".encode())
    write(places.run / "etc" / "hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost ip6-localhost ip6-loopback\n"
          "ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n".encode())


def machine_id(places: Places) -> None:
    """The board's own number, made once: a new one at each boot would be a new client to each DHCP server."""
    kept = places.system / "machine-id"
    found = kept.read_text(encoding="ascii", errors="replace").strip() if kept.exists() else ""
    if len(found) != 32 or not all(letter in "0123456789abcdef" for letter in found):
        found = secrets.token_hex(16)
        write(kept, f"{found}\n".encode(), 0o644)
    write(places.run / "etc" / "machine-id", f"{found}\n".encode(), 0o444)


def time_zone(places: Places, settings: Record) -> None:
    """/etc/localtime of the image leads to the link that this makes."""
    wanted = settings.text("time_zone")
    zone = wanted if wanted and (places.zones / wanted).is_file() else ZONE
    link = places.run / "localtime"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(f"/usr/share/zoneinfo/{zone}")
    write(places.run / "timezone", f"{zone}\n".encode())
    if wanted not in ("", zone):
        raise ValueError(f"this slot does not know {wanted}; it goes by {zone}")


def users(places: Places, settings: Record) -> None:
    accounts.make_homes(places, settings)
    accounts.make_keys(places, settings)
    accounts.make_sudoers(places, settings)
    hidden = accounts.make(places, lambda name: (places.etc / name).read_bytes(), settings)
    if hidden:
        raise ValueError(f"this slot has users or numbers of its own in place of {', '.join(hidden)}")


def ssh(places: Places, settings: Record) -> None:
    """ssh starts only where the file ssh-on stands; it stands only where there is a key."""
    flag = places.run / "ssh-on"
    if not settings.starts_ssh:
        flag.unlink(missing_ok=True)
        return
    passwords = settings.flag("password_login") and any(user.hash for user in settings.users)
    write(places.run / "sshd.conf", f"PasswordAuthentication {'yes' if passwords else 'no'}\n"
          f"AllowUsers {' '.join(user.name for user in settings.users)}\n".encode())
    host_keys(places)
    write(flag, b"")


def page(places: Places) -> None:
    """The page starts only where the file page-on stands: a drop-in of its unit asks for that."""
    flag, found = places.run / "page-on", the_page.asked(places)
    if found is not None and found.starts:
        write(flag, b"")
    else:
        flag.unlink(missing_ok=True)


def host_keys(places: Places) -> None:
    """Made once, on /data: every board has its own, and an update changes none."""
    for kind in ("ed25519", "ecdsa"):
        key = places.host_keys / f"ssh_host_{kind}_key"
        if key.exists() and key.with_suffix(".pub").exists() and key.stat().st_size:
            continue
        beside = places.host_keys / f".new_{kind}"
        for path in (beside, beside.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", "", "-t", kind, "-f", beside], check=True, timeout=120)
        write(key.with_suffix(".pub"), beside.with_suffix(".pub").read_bytes(), 0o644)
        write(key, beside.read_bytes(), 0o600)
        for path in (beside, beside.with_suffix(".pub")):
            path.unlink(missing_ok=True)


def network(places: Places, settings: Record) -> None:
    """The owner's netplan file beside the slot's own, which asks DHCP at every wired port."""
    found = settings.kept.get("network")
    if isinstance(found, dict) and any(found.values()):
        write(places.netplan, as_netplan(found, settings.text("country")), 0o600)
    else:
        places.netplan.unlink(missing_ok=True)
