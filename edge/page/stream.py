"""`api/live`: what is heard, as Server-Sent Events."""

from __future__ import annotations

import contextlib

from aiohttp import web

from edge.page.live import Live

HEARTBEAT_SECONDS = 15.0
"""A line of comment so often, so that a proxy keeps a quiet connection and a viewer who left is noticed."""


async def stream(request: web.Request, live: Live) -> web.StreamResponse:
    """Hand on messages until the viewer leaves. `?bands=1`: the bands too, which the appliance makes only then.

    `?plain=1`: as a type that no proxy compresses. Home Assistant's ingress (2026.2.3) compresses text/event-stream, and
    holds it back with that until its packer is full.
    """
    kind = "application/octet-stream" if _set(request, "plain") else "text/event-stream; charset=utf-8"
    response = web.StreamResponse(headers={"Content-Type": kind, "X-Accel-Buffering": "no"})
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await live.answers()
        with live.watched(bands=_set(request, "bands")) as viewer:
            await response.write(b"retry: 2000\n\n")
            while not live.closing:
                taken = await viewer.take(HEARTBEAT_SECONDS)
                told = "".join(f"id: {number}\ndata: {text}\n\n" for number, text in taken) or ": still here\n\n"
                await response.write(told.encode("utf-8"))
    return response


def _set(request: web.Request, name: str) -> bool:
    return request.query.get(name, "0") not in ("", "0")
