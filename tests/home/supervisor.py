"""What the Supervisor does between Home Assistant's ingress and an add-on, in lines of ours.

The Supervisor itself wants Docker and a system of its own, so it cannot run here. What it hands on, takes out and adds is
that of its supervisor/api/ingress.py in 2026; what it does beside that (WebSockets, add-ons' addresses) is left out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, hdrs, web
from multidict import CIMultiDict

SECONDS = 60.0
TOKEN = "k9fJ_3qkQ-x7TzW0aVbYh1mCdEfGhIjKlMnOpQrStUv"
"""Names the add-on in the ingress path."""
SESSION = "0f" * 64
"""What Home Assistant's frontend asks the Supervisor for, and keeps as a cookie."""
COOKIE = "ingress_session"
USER = {"X-Remote-User-Id": "8f1b", "X-Remote-User-Name": "owner", "X-Remote-User-Display-Name": "Owner"}
_LENGTH = (hdrs.CONTENT_LENGTH, hdrs.CONTENT_ENCODING, hdrs.TRANSFER_ENCODING)
_SOCKET = (hdrs.SEC_WEBSOCKET_EXTENSIONS, hdrs.SEC_WEBSOCKET_PROTOCOL, hdrs.SEC_WEBSOCKET_VERSION, hdrs.SEC_WEBSOCKET_KEY)
NOT_ASKED = {name.lower() for name in (*_LENGTH, *_SOCKET, "X-Supervisor-Token", "X-Hassio-Key", *USER)}
NOT_ANSWERED = {name.lower() for name in (*_LENGTH, hdrs.CONTENT_TYPE)}
SMALL_BYTES = 4_194_000


class Ingress:
    """Hands on what is asked below /ingress/TOKEN/."""

    def __init__(self, addon: Callable[[], str]) -> None:
        """addon: the add-on's address, with a port."""
        self._addon = addon
        self.asked: list[CIMultiDict[str]] = []
        """The headers of each request that went to the add-on."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request, and its answer."""
        if request.cookies.get(COOKIE, "") != SESSION:
            raise web.HTTPUnauthorized
        if request.match_info["token"] != TOKEN:
            raise web.HTTPServiceUnavailable
        headers = CIMultiDict(USER)
        headers.extend((name, value) for name, value in request.headers.items() if name.lower() not in NOT_ASKED)
        assert request.transport is not None
        peer = request.transport.get_extra_info("peername")[0]
        headers[hdrs.X_FORWARDED_FOR] = f"{request.headers.get(hdrs.X_FORWARDED_FOR)}, {peer}"
        self.asked.append(headers)
        try:
            return await self._hand_on(request, headers)
        except ClientError as error:
            raise web.HTTPBadGateway from error

    async def _hand_on(self, request: web.Request, headers: CIMultiDict[str]) -> web.StreamResponse:
        url = f"http://{self._addon()}/{request.match_info['path']}"
        async with request.app[CLIENT].request(
                request.method, url, headers=headers, params=request.query, allow_redirects=False, data=await request.read(),
                timeout=ClientTimeout(total=None), skip_auto_headers={hdrs.CONTENT_TYPE}) as found:
            given = CIMultiDict((name, value) for name, value in found.headers.items() if name.lower() not in NOT_ANSWERED)
            kind = found.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream").partition(";")[0].strip()
            if found.status in (204, 304) or 0 <= int(found.headers.get(hdrs.CONTENT_LENGTH, -1)) < SMALL_BYTES:
                return web.Response(headers=given, status=found.status, content_type=kind, body=await found.read())
            response = web.StreamResponse(status=found.status, headers=given)
            response.content_type = kind
            response.headers["X-Accel-Buffering"] = "no"
            await response.prepare(request)
            try:
                async for data, _ in found.content.iter_chunks():
                    await response.write(data)
            except (ClientError, ConnectionError):
                pass  # one of both has gone
            return response


CLIENT = web.AppKey("client", ClientSession)


@contextmanager
def supervising(addon: Callable[[], str], port: int) -> Iterator[Ingress]:
    """The Supervisor's ingress at this port of the machine, in a thread."""
    ingress = Ingress(addon)
    begun, ends = threading.Event(), []

    async def life() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        async with ClientSession(cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0)) as client:
            app = web.Application()
            app[CLIENT] = client
            app.router.add_route("*", "/ingress/{token}/{path:.*}", ingress.handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            ends.append(lambda: loop.call_soon_threadsafe(stop.set))
            begun.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(life()))
    thread.start()
    assert begun.wait(SECONDS)
    try:
        yield ingress
    finally:
        ends[0]()
        thread.join(SECONDS)
        assert not thread.is_alive()
