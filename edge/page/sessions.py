"""Who is logged in: sessions in a file of the state directory, which holds digests of their tokens, not the tokens."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from edge.errors import EdgeError
from edge.page.password import keep

LOG = logging.getLogger(__name__)

FILE = "page-sessions.json"
MOST = 32
"""Sessions at once; the one that was longest idle goes first."""
IDLE_SECONDS = 14 * 86_400.0
"""A session that nobody used for so long has ended."""
NOTE_SECONDS = 3_600.0
"""How often the file learns that a session is still used: a card is not written for each click."""


def as_bytes(given: str) -> bytes:
    """A header's value, in which bytes that are no UTF-8 may stand, as halves of surrogate pairs."""
    return given.encode("utf-8", "replace")


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(as_bytes(token)).hexdigest()


def csrf_of(token: str) -> str:
    """The word that every change must carry beside the session's cookie. Whoever has only one has neither."""
    return hmac.new(token.encode(), b"edge-audio page: change", hashlib.sha256).hexdigest()


class Sessions:
    """Belongs to the loop's thread; the file is small."""

    def __init__(self, state_dir: Path, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since 1970; tests bring their own."""
        self._path, self._clock = state_dir / FILE, clock
        self._noted = 0.0
        # By a token's digest: when the session was last used, in seconds since 1970.
        self._password, self._sessions = self._load()

    def begin(self, password: str) -> str:
        """A new session; its token. password: the name of the password in force (`Password.name`)."""
        self._only(password)
        token = secrets.token_urlsafe(32)
        self._sessions[digest(token)] = self._clock()
        while len(self._sessions) > MOST:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each])]
        self._keep()
        return token

    def holds(self, token: str, password: str) -> bool:
        """Whether the token is that of a session, which counts as used from now on."""
        self._only(password)
        seen = self._sessions.get(name := digest(token))
        if seen is None:
            return False
        now = self._clock()
        if now - seen > IDLE_SECONDS:
            self.end(token)
            return False
        self._sessions[name] = max(seen, now)
        if now - self._noted > NOTE_SECONDS:
            self._keep()
        return True

    def end(self, token: str) -> None:
        """Log out."""
        if self._sessions.pop(digest(token), None) is not None:
            self._keep()

    def _only(self, password: str) -> None:
        """Sessions of another password than that in force have ended."""
        if password != self._password:
            self._password, self._sessions = password, {}
            self._keep()

    def _load(self) -> tuple[str, dict[str, float]]:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return str(kept["password"]), {str(name): float(seen) for name, seen in kept["sessions"].items()}
        except FileNotFoundError:
            return "", {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            LOG.error("%s cannot be read (%s); everybody logs in again", self._path, type(error).__name__)
            return "", {}

    def _keep(self) -> None:
        self._noted = self._clock()
        kept = {"schema": 1, "password": self._password,
                "sessions": {name: round(seen) for name, seen in self._sessions.items()}}
        try:
            keep(self._path, json.dumps(kept))
        except EdgeError as error:
            LOG.error("%s; who is logged in now logs in again after a restart", error)
