"""Debian's nginx as a child of the test, with the very lines that the guide gives."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.page.browser import PATIENCE_SECONDS, Browser
from tests.sinks.certificates import Authority

GUIDE = Path(__file__).resolve().parents[2] / "deploy" / "docs" / "page.md"
AROUND = """daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""
"""What the guide's lines need around them to run beside everything else on this machine. Debian's own file has more."""


def of_the_guide(instead: Mapping[str, str]) -> str:
    """The guide's configuration. instead: what takes the place of lines and words of the guide, which must have them."""
    found = re.search(r"<!-- nginx -->\n(.*?)<!-- /nginx -->", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found, "deploy/docs/page.md has no configuration for nginx"
    text = textwrap.dedent(found[1])
    for old, new in instead.items():
        assert old in text, f"the guide no longer says {old!r}"
        text = text.replace(old, new)
    return text


@contextmanager
def proxying(folder: Path, page: Browser, *, https: bool = True, kept: bool = True, without: str = "") -> Iterator[Browser]:
    """nginx before a page; who looks through it, at /kitchen/.

    folder: for its files. kept: the prefix reaches the page. without: a line of the guide that its reader forgot.
    """
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("no nginx: deploy/packages.sh page installs it")
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    authority = Authority(folder / "authority")
    certificate, key = authority.sign("home.example", alternative="IP:127.0.0.1,DNS:home.example")
    instead = {"listen 443 ssl;": f"listen 127.0.0.1:{port}{' ssl' if https else ''};",
               "proxy_pass http://127.0.0.1:8080;": f"proxy_pass http://127.0.0.1:{page.port}{'' if kept else '/'};",
               "/etc/ssl/certs/home.example.pem": str(certificate), "/etc/ssl/private/home.example.key": str(key)}
    server = of_the_guide(instead | ({without: ""} if without else {}))
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, server=server))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"],
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "log")
        tls = ssl.create_default_context(cafile=str(authority.ca)) if https else None
        yield Browser(port, base="/kitchen", tls=tls)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS).close()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
