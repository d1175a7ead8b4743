"""The page: whatever a browser, a proxy or a stranger sends is answered, and never with an error of the server's own."""

from __future__ import annotations

import asyncio
import random
import re
import select
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from edge.errors import EdgeError
from edge.page.children import Children, Done
from edge.page.password import TOKEN, set_password
from edge.page.server import Page, Server
from edge.settings import Settings
from tests.fuzz import mutation
from tests.fuzz.engine import where

PATIENCE_SECONDS, UNFINISHED_SECONDS = 30.0, 0.05
PASSWORD = "open sesame"
GETS = ("/", "/healthz", "/metrics", "/api/session", "/api/live?bands=1", "/api/state",
        "/api/events?limit=5&before=7&target=clap",
        "/api/events?since=2026-11-29T18:00:00Z&until=2026-11-30", "/api/events.csv", "/api/heat?days=3&target=x",
        "/api/sound/4f1c-9a", "/api/lesson", "/api/taught", "/api/settings", "/api/expect?target=clap", "/page.css", "/x")
POSTS = (("/api/login", '{"password": "open sesame"}'), ("/api/logout", "{}"), ("/api/lesson/stop", "{}"),
         ("/api/undo", "{}"), ("/api/command", '{"command": "mute", "seconds": 60}'),
         ("/api/lesson/answer", '{"answer": "keep"}'),
         ("/api/lesson", '{"kind": "calibrate", "minutes": 1, "targets": ["clap"], "budget": "1/day"}'),
         ("/api/lesson", '{"kind": "teach", "name": "kettle", "count": 10, "sound": "lasting"}'))
TOKENS = (b"\xff", b"\r\n", b"Origin: http://[\r\n", b"%00", b"%ff", b"X-Forwarded-For: ::1%5, x\r\n", b"Host: [\r\n",
          b"Authorization: Bearer \xff\r\n", b"Cookie: edge_audio_session=\xff\r\n", b"Transfer-Encoding: chunked\r\n",
          b"X-CSRF-Token: \xff\r\n", b"Content-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"9" * 30, b"-", b"\0",
          b"%F0%9F", b"+", b"a" * 9_000)


class _Heard:
    """Stands for aiohttp's log: keeps what its server could not handle."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    def exception(self, *words: object, **more: Any) -> None:
        self.error(*words, exc_info=more.get("exc_info") or True)

    def error(self, *words: object, exc_info: Any = None, **more: Any) -> None:
        told = exc_info[1] if isinstance(exc_info, tuple) else exc_info
        if told:
            self.errors.append(told if isinstance(told, BaseException) else sys.exc_info()[1] or RuntimeError(str(words)))

    def debug(self, *words: object, **more: Any) -> None:
        pass

    warning = info = debug

    def isEnabledFor(self, level: int) -> bool:
        return False


class Requests:
    """Raw requests. The first byte chooses the page: without a password, or with one."""

    allowed: tuple[type[EdgeError], ...] = ()

    def __init__(self, folder: Path) -> None:
        self._heard, self._loop = _Heard(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        (folder / "open").mkdir()
        set_password(folder / "closed", PASSWORD, cost=16)
        self._token = (folder / "closed" / TOKEN).read_text().strip()
        self._ports: dict[bytes, int] = {}
        self._runners: list[web.AppRunner] = []
        asyncio.run_coroutine_threadsafe(self._serve(folder), self._loop).result(PATIENCE_SECONDS)

    async def _serve(self, folder: Path) -> None:
        async def done(children: Children, *words: str) -> Done:
            return Done(1, "", "found nothing; wanted something")

        async def begin(*words: object, **more: object) -> None:
            raise OSError("no process is started here")

        self._real = Children.done, Children.begin
        Children.done, Children.begin = done, begin  # type: ignore[method-assign,assignment]
        for name, first in (("open", b"N"), ("closed", b"P")):
            server = Server(Page(Settings(), folder / name))
            self._csrf = server._page and server.guard._stranger
            runner = web.AppRunner(server.app(), access_log=None, logger=self._heard, shutdown_timeout=0.1)
            await runner.setup()
            at = socket.create_server(("127.0.0.1", 0))
            await web.SockSite(runner, at).start()
            self._ports[first] = at.getsockname()[1]
            self._runners.append(runner)

    def close(self) -> None:
        """End both servers; processes can be started again."""
        Children.done, Children.begin = self._real  # type: ignore[method-assign]
        async def end() -> None:
            for runner in self._runners:
                await runner.cleanup()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    def seeds(self) -> Sequence[bytes]:
        head = "Host: localhost\r\nConnection: close\r\n"
        token = f"Authorization: Bearer {self._token}\r\n"
        made = [f"N{method} {path} HTTP/1.1\r\n{head}\r\n" for path in GETS for method in ("GET", "HEAD")]
        made += [f"PGET {path} HTTP/1.1\r\n{head}{token}Cookie: edge_audio_session=abc\r\n\r\n" for path in GETS[:4]]
        for first in ("N", "P"):
            for path, body in POSTS:
                made.append(f"{first}POST {path} HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
                            f"Origin: http://localhost\r\nX-CSRF-Token: {self._word()}\r\nX-Forwarded-For: 192.0.2.7\r\n"
                            f"Content-Length: {len(body)}\r\n\r\n{body}")
        return [each.encode() for each in made]

    def _word(self) -> str:
        from edge.page.sessions import csrf_of

        return csrf_of(self._csrf)

    def try_one(self, data: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._ports.get(data[:1], self._ports[b"N"])), PATIENCE_SECONDS) as ours:
            try:
                ours.sendall(data[1:60_000])
                answer, said = b"", False
                while not _whole(answer):
                    if not said and not select.select([ours], [], [], UNFINISHED_SECONDS)[0]:
                        ours.shutdown(socket.SHUT_WR)  # half a request, or an answer without its body: nothing more comes
                        said = True
                    if not (part := ours.recv(1 << 16)):
                        break
                    answer += part
            except (ConnectionResetError, BrokenPipeError):
                answer = b""
        errors, self._heard.errors = self._heard.errors, []
        for error in errors:
            # Others are aiohttp's words for what it answers with 400; one of a body that is no gzip passes us on its way.
            if where(error).startswith("edge/") and not isinstance(error, web.RequestPayloadError):
                raise error
        status = re.match(rb"HTTP/\d\.\d (\d{3})", answer)
        assert not answer or (status is not None and (
            status[1] not in (b"500", b"501") or b"expect:" in data.lower())), answer[:200]  # aiohttp trips over that

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        head, mark, body = data.partition(b"\r\n\r\n")
        kind = chance.randrange(4)
        if kind == 0 and body:
            body = mutation.of_json(body, chance)
            head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
        elif kind == 1:
            lines = head.split(b"\r\n")
            lines.insert(chance.randint(1, len(lines)), chance.choice(TOKENS).rstrip(b"\r\n"))
            head = b"\r\n".join(lines)
        else:
            head = head[:1] + mutation.of_bytes(head[1:], chance, tokens=TOKENS, times=2)
        return head + mark + body


def _whole(answer: bytes) -> bool:
    """Whether an answer is there to its end, or is one that has none."""
    head, mark, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(mark) and (b"event-stream" in head or (length is not None and len(body) >= int(length[1])))
