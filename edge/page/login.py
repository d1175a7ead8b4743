"""Log in and out."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from typing import Any

from aiohttp import web

from edge.page.guard import COOKIE, Guard, refused
from edge.page.password import LONGEST
from edge.page.sessions import IDLE_SECONDS, Sessions, csrf_of
from edge.page.tries import Tries

LOG = logging.getLogger(__name__)


class Login:
    """One password is looked at at a time: each look takes 16 MiB."""

    def __init__(self, guard: Guard, sessions: Sessions) -> None:
        """guard: knows the password; sessions: where a new one begins."""
        self._guard, self._sessions = guard, sessions
        self._tries = Tries()
        self._one = asyncio.Lock()

    async def login(self, request: web.Request) -> web.StreamResponse:
        """`{"password": ...}` gives the session's cookie and the word for changes."""
        given = (await fields(request)).get("password")
        if not isinstance(given, str) or not 0 < len(given) <= LONGEST:
            return refused(400, "no password", '{"password": "..."}')
        if (password := self._guard.password()) is None:
            return refused(400, "a page without a password", "no login")
        address = self._guard.address(request)
        if wait := self._tries.begun(address):
            LOG.warning("login: too many wrong passwords; the newest from %s", ascii(address))
            answer = refused(429, "too many wrong passwords", f"another try in {math.ceil(wait)} s")
            answer.headers["Retry-After"] = str(math.ceil(wait))
            return answer
        async with self._one:
            fits = await asyncio.to_thread(password.fits, given)
        if not fits:
            LOG.warning("login: a wrong password from %s", ascii(address))
            return refused(403, "another password", "the one that edge-audio page --set-password was told")
        self._tries.right(address)
        token = self._sessions.begin(password.name)
        answer = web.json_response({"ok": True, "csrf": csrf_of(token)})
        answer.set_cookie(COOKIE, token, max_age=int(IDLE_SECONDS), path=self._guard.cookie_path(request), httponly=True,
                          samesite="Strict", secure=self._guard.secure(request))
        return answer

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        if self._guard.password() is not None and (token := self._guard.token(request)) is not None:
            self._sessions.end(token)
        answer = web.json_response({"ok": True})
        answer.del_cookie(COOKIE, path=self._guard.cookie_path(request))
        return answer


async def fields(request: web.Request) -> dict[str, Any]:
    """The body's JSON object. Raises HTTPBadRequest for anything else."""
    try:
        found = json.loads(await request.read())
    except (ValueError, RecursionError, web.RequestPayloadError):  # the last: no gzip, though a header says so
        found = None
    if request.content_type != "application/json" or not isinstance(found, dict):
        raise web.HTTPBadRequest(text='found no JSON object; wanted one, with Content-Type: application/json')
    return found
