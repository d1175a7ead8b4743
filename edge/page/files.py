"""The files that the page consists of, as they travel: compressed once, and told by a tag whether they have changed."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from edge.page.guard import refused

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    """One file in both forms."""

    kind: str
    plain: bytes
    packed: bytes
    tag: str
    """Of what is in it. The packed form has a tag of its own."""


class Files:
    """All files of a folder, read once."""

    def __init__(self, folder: Path) -> None:
        """folder: holds files of TYPES and nothing else."""
        self._files = {path.name: _read(path) for path in sorted(folder.iterdir())}

    def answer(self, request: web.Request, name: str) -> web.Response:
        """The file, for a browser that takes gzip as gzip; 304 where the browser has it already, 404 where there is none."""
        file = self._files.get(name)
        if file is None:
            return refused(404, "no such address", "one of the page's")
        packed = takes_gzip(request.headers.get("Accept-Encoding", ""))
        tag = f"{file.tag}-gzip" if packed else file.tag
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", "ETag": f'"{tag}"'}
        if any(each.value in (tag, "*") for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = f"{file.kind}; charset=utf-8"
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=file.packed if packed else file.plain, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip: by its name, else by `*`; `q=0` takes it out (RFC 9110)."""
    weights = {}
    for each in accepted.lower().split(","):
        coding, _, weight = each.partition(";")
        try:
            weights[coding.strip()] = float(weight.strip().removeprefix("q=") or 1.0)
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0.0


def _read(path: Path) -> File:
    plain = path.read_bytes()
    return File(TYPES[path.suffix], plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:32])
