"""Downloads: https and file only, taken up again where they stopped, and handed on only when complete."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from edge import __version__
from edge.errors import ModelError
from edge.model.manifest import bytes_sha256

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in all, None while that is unknown."""

LIMIT = 256 * 1024 * 1024
"""Bytes that a model file or archive may have: YAMNet has 4 MB."""
TIMEOUT_SECONDS = 30.0
"""For connecting, and for each wait for more bytes."""
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Before each new attempt; an attempt that brought bytes starts over at the first."""
_STALE_SECONDS = 7 * 86_400.0
_PIECE = 64 * 1024


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """A redirect may not leave https."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
                         headers: http.client.HTTPMessage, newurl: str) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme != "https":
            raise ModelError(req.full_url, found=f"a redirect to {newurl}", wanted="an address that begins https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Retry(Exception):
    """This attempt came to nothing; another may not."""


def is_url(source: str) -> bool:
    """Whether it is an address and not a path."""
    return "://" in source


def fetch(url: str, folder: Path, *, progress: Progress | None = None, context: ssl.SSLContext | None = None,
          sleep: Callable[[float], None] = time.sleep) -> Path:
    """The file at `url`, complete. For https it lies in `folder` and is the caller's to remove; file:// is left alone.

    What came before a cut stays in `folder` for a week, and the next call goes on from there if the server vouches
    (If-Range) that the file is still the same. context: certificates to trust; None: the system's.
    Raises ModelError for another kind of address, for what the server refuses, and when every attempt failed.
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        raise ModelError(url, found=f"no address ({error})", wanted="https:// or file://") from error
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise ModelError(url, found=f"a file on {parts.netloc}", wanted="file:///path on this machine")
        return Path(urllib.request.url2pathname(parts.path))
    if parts.scheme == "https" and not parts.hostname:
        raise ModelError(url, found="an address without a host", wanted="https://host/file")
    if parts.scheme != "https":
        raise ModelError(url, found=f"an address of kind {parts.scheme!r}", wanted="https:// or file://")
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()), _HttpsOnly)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        return _fetch(opener, url, folder / bytes_sha256([url.encode()])[:16], progress, sleep)
    except OSError as error:
        raise ModelError(str(folder), found=error.strerror or str(error), wanted="room to download to") from error


def _fetch(opener: urllib.request.OpenerDirector, url: str, partial: Path, progress: Progress | None,
           sleep: Callable[[float], None]) -> Path:
    failures, most = 0, _size(partial)
    while True:
        try:
            _attempt(opener, url, partial, progress)
            _notes(partial).unlink(missing_ok=True)
            return partial
        except _Retry as error:
            failures = 0 if _size(partial) > most else failures + 1
            most = max(most, _size(partial))
            if failures > len(PAUSES_SECONDS):
                raise ModelError(url, found=f"{error}, {failures} times", wanted="the whole file") from error
            sleep(PAUSES_SECONDS[max(failures, 1) - 1])


def _attempt(opener: urllib.request.OpenerDirector, url: str, partial: Path, progress: Progress | None) -> None:
    """One request; returns when the file is complete. Raises _Retry or ModelError."""
    request = urllib.request.Request(url, headers={"User-Agent": f"edge-audio/{__version__}",
                                                   "Accept-Encoding": "identity"})
    notes = _read_notes(partial)
    have = _size(partial) if notes else 0
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", notes["validator"])
    try:
        response = opener.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                # What we have is no part of what is there now.
                forget(partial)
                raise _Retry("a file that changed") from error
            if error.code in (408, 425, 429) or error.code >= 500:
                raise _Retry(f"HTTP {error.code} {error.reason}") from error
            raise ModelError(url, found=f"HTTP {error.code} {error.reason}", wanted="a file") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise ModelError(url, found=f"certificate: {error.reason.verify_message}",
                             wanted="a server that this machine trusts") from error
        raise _Retry(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Retry(str(error) or type(error).__name__) from error
    with response:
        _receive(response, url, partial, have, progress)


def _receive(response: http.client.HTTPResponse, url: str, partial: Path, have: int,
             progress: Progress | None) -> None:
    length = response.headers.get("Content-Length")
    if response.status == 206:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            forget(partial)
            raise _Retry(f"Content-Range {response.headers.get('Content-Range')}")
    else:
        # A server that ignores Range, or whose file has changed, sends all of it.
        have = 0
        _write_notes(partial, response.headers)
    total = have + int(length) if length is not None and length.isdigit() else None
    if total is not None and total > LIMIT:
        raise ModelError(url, found=f"{total} bytes", wanted=f"{LIMIT} at most")
    with partial.open("ab" if have else "wb") as file:
        if progress:
            progress(have, total)
        while piece := _read(response):
            file.write(piece)
            have += len(piece)
            if have > LIMIT:
                forget(partial)
                raise ModelError(url, found=f"more than {LIMIT} bytes", wanted=f"{LIMIT} at most")
            if progress:
                progress(have, total)
    if total is not None and have != total:
        raise _Retry(f"the connection cut after {have} of {total} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _Retry(str(error) or type(error).__name__) from error


def forget(partial: Path) -> None:
    """Remove a download and what is noted of it."""
    partial.unlink(missing_ok=True)
    _notes(partial).unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _notes(partial: Path) -> Path:
    return partial.with_name(partial.name + ".json")


def _read_notes(partial: Path) -> dict[str, str]:
    """The validator of a partial file; empty where there is none, and the download starts over."""
    try:
        notes = json.loads(_notes(partial).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return notes if isinstance(notes, dict) and isinstance(notes.get("validator"), str) else {}


def _write_notes(partial: Path, headers: http.client.HTTPMessage) -> None:
    """Keep what If-Range may say: a strong entity tag, else the date (RFC 9110, section 13.1.5)."""
    tag = headers.get("ETag", "")
    validator = headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag
    if validator:
        _notes(partial).write_text(json.dumps({"validator": validator}), encoding="utf-8")
    else:
        _notes(partial).unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    """Remove downloads that nobody went on with."""
    for path in folder.iterdir():
        # Another process may remove it first.
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
