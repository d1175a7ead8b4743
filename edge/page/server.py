"""The page's server: its addresses, and its life from the first request to the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from edge import __version__
from edge.control.commands import check_verb, command_of
from edge.errors import CommandError
from edge.model.judged import JudgedEvents
from edge.page.files import Files
from edge.page.guard import Guard, Handler, dresser, ingress, refused
from edge.page.history import History
from edge.page.learning import Learning
from edge.page.live import Live
from edge.page.login import Login, fields
from edge.page.metrics import CONTENT_TYPE, Figures
from edge.page.sessions import Sessions, csrf_of
from edge.page.stream import stream
from edge.settings import VERBS, Settings

LOG = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parent / "static"
MOST_BYTES = 16_384
"""Of a request's body."""
IDLE_SECONDS = 300.0
"""So long nobody must have asked for anything before the server gives its memory back."""
LOOK_SECONDS = 15.0
IDLE = "EDGE_AUDIO_PAGE_IDLE"
"""Variable of the environment that sets IDLE_SECONDS, for tests."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the server must know: the settings, their file where there is one, and the appliance's state directory."""

    settings: Settings
    state_dir: Path
    config: Path | None = None


class Server:
    """Belongs to the loop's thread."""

    def __init__(self, page: Page) -> None:
        """Make everything ready; `app` serves it."""
        self._page = page
        self._served, self._last = 0, time.monotonic()
        sessions = Sessions(page.state_dir)
        judged = JudgedEvents(page.state_dir, page.settings.model.name)
        self.live = Live(page.state_dir, judged, lambda told, past: self._figures.note(told, past))
        self._figures = Figures(self.live.newest, lambda: self.live.up, lambda: len(self.live.viewers))
        self.guard = Guard(page.settings.page, page.state_dir, sessions, secrets.token_urlsafe(32))
        self._login = Login(self.guard, sessions)
        self._history = History(page.settings.journal, page.state_dir, judged)
        self._learning = Learning(page.config, page.state_dir, self.live)
        self._files = Files(STATIC)

    def app(self) -> web.Application:
        """All addresses, at the top and below the prefix."""
        app = web.Application(middlewares=[self._counted, self.guard.middleware], client_max_size=MOST_BYTES)
        routes: list[tuple[str, str, Callable[[web.Request], Any]]] = [
            ("GET", "/", self._index), ("GET", "/healthz", self._healthz), ("GET", "/metrics", self._metrics),
            ("GET", "/api/session", self._session), ("POST", "/api/login", self._login.login),
            ("POST", "/api/logout", self._login.logout),
            ("GET", "/api/live", self._live), ("GET", "/api/state", self._state),
            ("GET", "/api/events", self._history.events), ("GET", "/api/events.csv", self._history.table),
            ("GET", "/api/heat", self._history.heat), ("GET", "/api/sound/{id}", self._history.sound),
            ("POST", "/api/command", self._command),
            ("GET", "/api/lesson", self._learning.state), ("POST", "/api/lesson", self._learning.begin),
            ("POST", "/api/lesson/answer", self._learning.answer), ("POST", "/api/lesson/stop", self._learning.stop),
            ("GET", "/api/taught", self._learning.taught), ("POST", "/api/undo", self._learning.undo),
            ("GET", "/api/settings", self._learning.settings), ("GET", "/api/expect", self._learning.expect.answer),
            ("GET", "/{name:[a-z0-9-]+[.][a-z0-9]+}", self._file),
        ]
        prefix = self._page.settings.page.prefix
        for base in dict.fromkeys(("", prefix)):
            for method, path, handler in routes:
                app.router.add_route(method, base + path, handler)
        if prefix:
            app.router.add_get(prefix, self._to_folder)
        app.on_response_prepare.append(dresser(self._page.settings.page.shown_in))
        app.cleanup_ctx.append(self._listening)
        return app

    @property
    def quiet_seconds(self) -> float:
        """How long nobody has asked for anything; 0 while somebody is served, and while a lesson runs."""
        return 0.0 if self._served or self._learning.lesson.running else time.monotonic() - self._last

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._served += 1
        try:
            return await handler(request)
        finally:
            self._served -= 1
            self._last = time.monotonic()

    async def _listening(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.live.run())
        yield
        await self._learning.lesson.stop("the page ends")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return self._files.answer(request, "index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._files.answer(request, request.match_info["name"])

    async def _to_folder(self, request: web.Request) -> web.StreamResponse:
        """All addresses in the page are relative, which takes a slash at the end."""
        raise web.HTTPFound(f"{self._page.settings.page.prefix}/")

    async def _session(self, request: web.Request) -> web.StreamResponse:
        token = self.guard.token(request)
        return web.json_response({
            "password": self.guard.password() is not None, "logged_in": token is not None,
            "csrf": None if token is None else csrf_of(token), "version": __version__, "ingress": ingress(request)})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        return await stream(request, self.live)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        await self.live.answers()
        return web.json_response(self.live.hello())

    async def _command(self, request: web.Request) -> web.StreamResponse:
        """A verb as `command`, and the fields that it has over MQTT; the appliance's own answer."""
        given = await fields(request)
        given.pop("request", None)
        verb = given.pop("command", None)
        try:
            check_verb(verb if isinstance(verb, str) else "", VERBS, None)
            command_of(str(verb), dict(given), VERBS)
        except CommandError as error:
            return refused(400, f"{error.thing}: {error.found}", error.wanted)
        try:
            return web.json_response(await self.live.ask(str(verb), given))
        except CommandError as error:
            return refused(503, error.found, error.wanted)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        await self.live.answers()
        return web.Response(body=self._figures.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, request: web.Request) -> web.StreamResponse:
        well = await self.live.answers()
        return web.Response(text="ok\n" if well else f"{self.live.away}\n", status=200 if well else 503)


async def serve(server: Server, at: socket.socket, stop: asyncio.Event, *, idle_seconds: float = IDLE_SECONDS) -> bool:
    """Serve until told to stop, or until nobody looks; whether it was the latter. `at` stays open."""
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, at.dup()).start()
        while not stop.is_set() and server.quiet_seconds < idle_seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(LOOK_SECONDS, idle_seconds))
    finally:
        server.live.close()
        await runner.cleanup()
    return not stop.is_set()


def serve_until_told(page: Page, at: socket.socket) -> bool:
    """Serve until SIGTERM, SIGINT or SIGHUP, or until nobody looks; whether it was the latter."""
    async def life() -> bool:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await serve(Server(page), at, stop, idle_seconds=float(os.environ.get(IDLE, IDLE_SECONDS)))

    return asyncio.run(life())
