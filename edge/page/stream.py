"""`api/live`: what is heard, as Server-Sent Events."""

from __future__ import annotations

import contextlib

from aiohttp import web

from edge.page.live import Live

HEARTBEAT_SECONDS = 15.0
"""A line of comment so often, so that a proxy keeps a quiet connection and a viewer who left is noticed."""


async def stream(request: web.Request, live: Live) -> web.StreamResponse:
    """Hand on messages until the viewer leaves. `?bands=1`: the bands too, which the appliance makes only then."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    bands = request.query.get("bands", "0") not in ("", "0")
    await live.answers()
    with contextlib.suppress(ConnectionError), live.watched(bands=bands) as viewer:
        await response.write(b"retry: 2000\n\n")
        while not live.closing:
            taken = await viewer.take(HEARTBEAT_SECONDS)
            told = "".join(f"id: {number}\ndata: {text}\n\n" for number, text in taken) or ": still here\n\n"
            await response.write(told.encode("utf-8"))
    return response
