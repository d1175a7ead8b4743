"""Downloads: https and file only, asked for again when an attempt fails, and handed on only when complete."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from edge import __version__
from edge.errors import ModelError
from edge.model.placing import disk_error

Progress = Callable[[int, int | None], None]
"""Called with bytes so far and bytes in all, None while that is unknown."""

LIMIT = 256 * 1024 * 1024
"""Bytes that a model file or archive may have: YAMNet has 4 MB."""
TIMEOUT_SECONDS = 30.0
"""For connecting, and for each wait for more bytes."""
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Before each new attempt, which fetches the file from its start: 4 MB take seconds."""
_PIECE = 64 * 1024


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """A redirect may not leave https."""

    def redirect_request(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str,
                         headers: http.client.HTTPMessage, newurl: str) -> urllib.request.Request | None:
        if urllib.parse.urlsplit(newurl).scheme != "https":
            raise ModelError(req.full_url, found=f"a redirect to {newurl}", wanted="an address that begins https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Retry(Exception):
    """This attempt failed; the next one may succeed."""


def is_url(source: str) -> bool:
    """Whether it is an address and not a path."""
    return "://" in source


def fetch(url: str, folder: Path, *, progress: Progress | None = None, context: ssl.SSLContext | None = None,
          pauses: Sequence[float] = PAUSES_SECONDS, sleep: Callable[[float], None] = time.sleep) -> Path:
    """The file at `url`, complete: in `folder` (made where needed) for https, where it lies for file://.

    context: which servers to trust; None: those that the system trusts. pauses: seconds before each new attempt.
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
    file = folder / "download"
    for pause in (*pauses, None):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _attempt(opener, url, file, progress)
            return file
        except _Retry as error:
            if pause is None:
                raise ModelError(url, found=f"{error}, {len(pauses) + 1} times", wanted="the whole file") from error
            sleep(pause)
        except OSError as error:
            raise disk_error(folder, error, "room to download to") from error
    raise AssertionError("the last pause is None")


def _attempt(opener: urllib.request.OpenerDirector, url: str, file: Path, progress: Progress | None) -> None:
    """Make one request and write `file` whole. Raises _Retry, ModelError; OSError where the disk fails."""
    request = urllib.request.Request(url, headers={"User-Agent": f"edge-audio/{__version__}",
                                                   "Accept-Encoding": "identity"})
    try:
        response = opener.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
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
    with response, file.open("wb") as opened:
        told = response.headers.get("Content-Length", "")
        have, total = 0, int(told) if told.isdigit() else None
        while True:
            if max(have, total or 0) > LIMIT:
                raise ModelError(url, found=f"{max(have, total or 0)} bytes or more", wanted=f"{LIMIT} at most")
            if progress:
                progress(have, total)
            if not (piece := _read(response)):
                break
            opened.write(piece)
            have += len(piece)
    if total not in (None, have):
        raise _Retry(f"the connection cut after {have} of {total} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _Retry(str(error) or type(error).__name__) from error
