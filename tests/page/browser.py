"""A browser without a screen: requests, cookies, and the live stream, by the standard library."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

PATIENCE_SECONDS = 60.0


def own_address() -> str:
    """This machine's own address in a network; the test is skipped where the machine has none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        pytest.skip("this machine has no network")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Keeps one cookie and one token for changes."""

    def __init__(self, port: int, *, at: str = "127.0.0.1", base: str = "", tls: ssl.SSLContext | None = None,
                 source: str = "", also: str = "") -> None:
        """at: the server's address; base: stands before every path; tls: ask by https; source: the browser's own address;
        also: a cookie for another server on the way."""
        self.port, self.at, self.base = port, at, base
        self.tls, self.source, self.also = tls, source, also
        self.host = f"{at}:{port}"
        self.cookie = ""
        self.csrf = ""

    @property
    def origin(self) -> str:
        """What the browser says of itself with every change."""
        return f"{'https' if self.tls else 'http'}://{self.host}"

    @property
    def _cookies(self) -> str:
        return "; ".join(filter(None, (self.also, self.cookie)))

    def _connection(self) -> http.client.HTTPConnection:
        given: dict[str, Any] = {"timeout": PATIENCE_SECONDS, "source_address": (self.source, 0) if self.source else None}
        if self.tls is None:
            return http.client.HTTPConnection(self.at, self.port, **given)
        return http.client.HTTPSConnection(self.at, self.port, context=self.tls, **given)

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request. headers: with '_' for '-'."""
        connection = self._connection()
        given = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self._cookies:
            given.setdefault("Cookie", self._cookies)
        try:
            connection.request(method, self.base + path, body, given)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, told: dict[str, Any] | None = None, **headers: str) -> Answer:
        """A change, as the page's own script makes it."""
        given = {"Content_Type": "application/json", "Origin": self.origin, "X_CSRF_Token": self.csrf, **headers}
        return self.ask(path, method="POST", body=json.dumps(told or {}).encode(), **given)

    def enter(self) -> Any:
        """What `api/session` says; the token is kept for changes."""
        told = self.ask("/api/session").told
        self.csrf = told["csrf"] or ""
        return told

    def login(self, password: str, **headers: str) -> Answer:
        """Log in; the cookie is kept."""
        answer = self.post("/api/login", {"password": password}, **headers)
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            self.csrf = answer.told["csrf"]
        return answer

    @contextmanager
    def look(self, query: str = "", **headers: str) -> Iterator[Look]:
        """The live stream, for as long as the block lasts. headers: with '_' for '-'."""
        connection = self._connection()
        try:
            connection.request("GET", f"{self.base}/api/live{query}", headers={
                "Host": self.host, "Cookie": self._cookies, **{name.replace("_", "-"): headers[name] for name in headers}})
            yield Look(connection.getresponse())
        finally:
            connection.close()


class Look:
    """The messages of a live stream, with a memory."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.told: list[Any] = []
        self.numbers: list[int] = []

    def until(self, enough: Callable[[list[Any]], bool], patience: float = PATIENCE_SECONDS) -> list[Any]:
        """Read until what was told is enough. patience: in seconds."""
        deadline = time.monotonic() + patience
        while not enough(self.told):
            assert time.monotonic() < deadline, f"not told: {self.told[-5:]}"
            line = self.response.readline()
            assert line, f"the stream ended: {self.told}"
            if line.startswith(b"data: "):
                self.told.append(json.loads(line[6:]))
            elif line.startswith(b"id: "):
                self.numbers.append(int(line[4:]))
        return self.told

    def kinds(self, kind: str) -> list[Any]:
        return [told for told in self.told if told["kind"] == kind]
