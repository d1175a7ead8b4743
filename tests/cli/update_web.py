"""A web server that hands out parts of files, as those of the world do and Python's own does not: rauc asks for parts."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path


class _Parts(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        size = path.stat().st_size
        first, _, last = self.headers.get("Range", f"bytes=0-{size - 1}").removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or size - 1), size - 1)
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Range", f"bytes {begin}-{end}/{size}")
        self.send_header("Content-Length", str(end - begin + 1))
        self.end_headers()
        with path.open("rb") as file, suppress(OSError):  # whoever asked may be gone, as after a power cut
            file.seek(begin)
            while begin <= end and (data := file.read(min(1 << 16, end - begin + 1))):
                self.wfile.write(data)
                begin += len(data)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A connection that ends in the middle is nothing to be told."""


@contextmanager
def running(server: http.server.ThreadingHTTPServer) -> Iterator[int]:
    """Have a server serve in a thread until the block ends; its port."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder on the loopback; its port."""
    with running(_Server(("127.0.0.1", 0), partial(_Parts, directory=str(folder)))) as port:
        yield port
