"""The page's password, as scrypt keeps it, and the token by which Prometheus reads the figures. Both lie in the state
directory, for the appliance's user only."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SettingsError, SinkError
from edge.model.placing import writing
from edge.state import private_folder

PASSWORD, TOKEN = "page-password.json", "page-metrics-token"
"""Names in the state directory."""
SHORTEST, LONGEST = 8, 256
"""Letters of a password."""
COST, BLOCK, TIMES = 2**14, 8, 5
"""scrypt's N, r and p: 16 MiB of memory, five times over."""
MOST_BLOCK, MOST_TIMES = 64, 20
"""A damaged file must not keep a login busy for hours, nor ask scrypt for more memory than it is let have."""
_MOST_MEMORY = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Password:
    """What is kept of a password: never itself."""

    salt: bytes
    key: bytes
    cost: int = COST
    block: int = BLOCK
    times: int = TIMES

    def fits(self, given: str) -> bool:
        """Whether it is this one. Takes 16 MiB and some tenths of a second, whatever is given."""
        return hmac.compare_digest(self.key, _key(given, self.salt, self.cost, self.block, self.times))

    @property
    def name(self) -> str:
        """Tells one password from another, and says nothing of either."""
        return hashlib.sha256(b"name" + self.salt).hexdigest()


def _key(given: str, salt: bytes, cost: int, block: int, times: int) -> bytes:
    return hashlib.scrypt(given.encode("utf-8", "replace"), salt=salt, n=cost, r=block, p=times,
                          maxmem=_MOST_MEMORY, dklen=32)


def set_password(state_dir: Path, given: str, *, cost: int = COST) -> None:
    """Keep a new password, and make the token where there is none. cost: scrypt's N, a power of 2.

    Raises SettingsError for a password that is too short or too long, SinkError where the disk fails.
    """
    if not SHORTEST <= len(given) <= LONGEST or not given.isprintable():
        raise SettingsError("password", found=f"{len(given)} letters{' that cannot be seen' * (not given.isprintable())}",
                            wanted=f"{SHORTEST} to {LONGEST} printable letters")
    salt = secrets.token_bytes(16)
    kept = {"schema": 1, "cost": cost, "block": BLOCK, "times": TIMES, "salt": salt.hex(),
            "key": _key(given, salt, cost, BLOCK, TIMES).hex()}
    keep(state_dir / PASSWORD, json.dumps(kept))
    if not (state_dir / TOKEN).exists():
        keep(state_dir / TOKEN, secrets.token_urlsafe(32) + "\n")


def keep(path: Path, text: str) -> None:
    """Write a file for this user only, whole or not at all. Raises SinkError."""
    try:
        private_folder(path.parent)
        owner = path.parent.stat()
        with writing(path) as new:
            new.touch(mode=0o600)
            if os.geteuid() == 0 != owner.st_uid:  # set by root, read by the service's own user
                os.chown(new, owner.st_uid, owner.st_gid)
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(str(path), found=error.strerror or str(error),
                        wanted="a state directory that can be written") from error


def load_password(state_dir: Path) -> Password | None:
    """The password that was set; None where none was. Raises SettingsError for a file that is none, or that others may
    read."""
    path = state_dir / PASSWORD
    if (text := _secret(path)) is None:
        return None
    try:
        kept = json.loads(text)
        password = Password(bytes.fromhex(kept["salt"]), bytes.fromhex(kept["key"]),
                            int(kept["cost"]), int(kept["block"]), int(kept["times"]))
        cost, block, times = password.cost, password.block, password.times
        power = cost > 1 and cost & (cost - 1) == 0
        if kept["schema"] != 1 or len(password.key) != 32 or not power or not 0 < block <= MOST_BLOCK \
                or cost * block * 128 > _MOST_MEMORY // 2 or not 0 < times <= MOST_TIMES:
            raise ValueError("unknown")
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise SettingsError(str(path), found="no password",
                            wanted="edge-audio page --set-password, which makes it anew") from error
    return password


def load_token(state_dir: Path) -> str | None:
    """The token of `/metrics`; None where there is none. Raises SettingsError for one that others may read."""
    return (_secret(state_dir / TOKEN) or "").strip() or None


def _secret(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise SettingsError(str(path), found=f"mode {mode & 0o777:04o}",
                                    wanted="0600: nobody but its owner may read it")
            return file.read(65_536)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(str(path), found=error.strerror or str(error), wanted="a file that can be read") from error
