"""Who may ask for what: host names, origin, session and token; and the headers of every answer."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from edge.errors import SettingsError
from edge.page.password import PASSWORD, Password, load_password, load_token
from edge.page.proxies import Proxies
from edge.page.sessions import Sessions, as_bytes, csrf_of
from edge.settings.page import PageSettings

COOKIE = "edge_audio_session"
CSRF = "X-CSRF-Token"
"""The header that every change carries."""
OPEN = ("api/session", "api/login", "healthz")
"""What needs no session."""
_POLICY = "Content-Security-Policy"
HEADERS = {
    _POLICY: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
             "media-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "edge-audio",
}
_INGRESS = re.compile(r"(/[A-Za-z0-9_.~-]+)+/?")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refused(status: int, found: str, wanted: str) -> web.Response:
    """An answer that says why not."""
    return web.json_response({"ok": False, "found": found, "wanted": wanted}, status=status)


class Guard:
    """Looks at every request before anything else does. Belongs to the loop's thread."""

    def __init__(self, settings: PageSettings, state_dir: Path, sessions: Sessions, stranger: str) -> None:
        """stranger: what stands in for a session's token where no password is set."""
        self._settings, self._state_dir, self._sessions, self._stranger = settings, state_dir, sessions, stranger
        self._proxies = Proxies(settings.trusted_proxies)
        self._names = {"localhost", *(name.lower().rstrip(".") for name in settings.names)}
        self._seen: tuple[int, int] | None = None
        self._password: Password | None = None

    def password(self) -> Password | None:
        """The password in force, read again where its file has changed; None where none is set.

        Raises HTTPServiceUnavailable where the file cannot be used, or is missing though the page is open to the network.
        """
        try:
            found = (self._state_dir / PASSWORD).stat()
            stamp = (found.st_ino, found.st_mtime_ns)
        except OSError:
            stamp = (0, 0)
        if stamp != self._seen:
            try:
                self._password = load_password(self._state_dir)
            except SettingsError as error:
                raise web.HTTPServiceUnavailable(text=str(error)) from error
            self._seen = stamp
        if self._password is None and not self._settings.local:
            raise web.HTTPServiceUnavailable(text="found no password; wanted one: edge-audio page --set-password")
        return self._password

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request through, or answer why not."""
        try:
            return await self._judged(request, handler)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            found, _, wanted = (error.text or "").removeprefix("found ").partition("; wanted ")
            return refused(error.status, found, wanted)

    async def _judged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        password = self.password()
        if password is None and not self._host_is_ours(request):
            return refused(403, "a host name that is not this page's", "localhost, 127.0.0.1 or [::1], "
                           "a name of [page] names, or a password (edge-audio page --set-password)")
        name = self.name_of(request)
        if (name.startswith("api/") or name == "metrics") and name not in OPEN and not self.known(request, name):
            return refused(401, "no session", "a login: POST api/login")
        if request.match_info.http_exception is not None:
            return refused(request.match_info.http_exception.status, f"{request.method} {request.path[:80]}",
                           "an address of deploy/docs/page.md")
        if request.method not in ("GET", "HEAD") and (why := self._change_refused(request, name)):
            return refused(403, why, f"a request of the page itself, with {CSRF} of api/session")
        return await handler(request)

    def name_of(self, request: web.Request) -> str:
        """The path without the prefix, and without the slash in front."""
        return request.path.removeprefix(self._settings.prefix).lstrip("/")

    def token(self, request: web.Request) -> str | None:
        """The token of the request's session; None where there is none in force."""
        password = self.password()
        if password is None:
            return self._stranger
        token = request.cookies.get(COOKIE, "")
        return token if token and self._sessions.holds(token, password.name) else None

    def known(self, request: web.Request, name: str) -> bool:
        """Whether there is a session; for figures the token of Prometheus does as well."""
        if self.token(request) is not None:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            wanted = load_token(self._state_dir) if name == "metrics" and scheme.lower() == "bearer" else None
        except SettingsError as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        return wanted is not None and hmac.compare_digest(as_bytes(given.strip()), wanted.encode())

    def address(self, request: web.Request) -> str:
        """Whose request this is: the peer's address, or what a proxy says that is believed."""
        return self._proxies.whose(request.remote, request.headers.getall("X-Forwarded-For", []))

    def cookie_path(self, request: web.Request) -> str:
        """The path below which the browser shows the session's cookie. Whoever makes X-Ingress-Path up harms nobody else."""
        return request.headers["X-Ingress-Path"].rstrip("/") if ingress(request) else self._settings.prefix or "/"

    def secure(self, request: web.Request) -> bool:
        """Whether the browser came by https, to a proxy that is believed."""
        told = request.headers.get("X-Forwarded-Proto", "") if self._proxies.believes(request.remote) else ""
        return request.scheme == "https" or told == "https"

    def _host_is_ours(self, request: web.Request) -> bool:
        """Without a password: the name in the browser's address line is one of this machine for itself. So no page of
        another site can come as this one (DNS rebinding), and no proxy shows the page to a network by mistake."""
        hosts = [request.headers.get("Host", "")]
        forwarded = request.headers.get("X-Forwarded-Host")
        if forwarded is not None or any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP")):
            hosts.append(forwarded or "")
        return all(self._is_ours(_name(host)) for host in hosts)

    def _is_ours(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def _change_refused(self, request: web.Request, name: str) -> str:
        """Why a change is not this page's own; empty where it is."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return "a request of another site"
        if (origin := request.headers.get("Origin")) is not None:
            hosts = [request.headers.get("Host", "")]
            if self._proxies.believes(request.remote):
                hosts.append(request.headers.get("X-Forwarded-Host", ""))
            try:
                theirs = urlsplit(origin).netloc.lower()
            except ValueError:  # half a bracket
                return "an origin that is none"
            if theirs not in [host.lower() for host in hosts if host] and _name(theirs) not in self._names - {"localhost"}:
                return "the origin of another site"
        if name == "api/login":
            return ""
        token = self.token(request)
        given = request.headers.get(CSRF, "")
        fits = token is not None and hmac.compare_digest(as_bytes(given), csrf_of(token).encode())
        return "" if fits else f"{'another' if given else 'no'} {CSRF}"


def dresser(shown_in: Iterable[str]) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """What gives an answer the headers that all of them have. shown_in: sites that may show the page inside theirs."""
    headers = HEADERS | {_POLICY: " ".join((HEADERS[_POLICY], *shown_in))}  # the end of the policy says who may

    async def dress(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"

    return dress


def ingress(request: web.Request) -> bool:
    """Whether the page is shown by Home Assistant's ingress."""
    return _INGRESS.fullmatch(request.headers.get("X-Ingress-Path", "")) is not None


def _name(host: str) -> str:
    """A Host header without its port, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")
