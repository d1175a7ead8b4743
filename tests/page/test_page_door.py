"""The door: what holds while the server is loaded, and no longer."""

from __future__ import annotations

import gc
import os
import ssl
import subprocess
import sys

import pytest

from edge.page.door import CERTIFICATES, loading


def test_no_certificate_is_read_while_the_server_is_loaded_and_all_are_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp read 144 of them at each start of the server, in a tenth of its time, for a client that nobody uses."""
    monkeypatch.setenv("SSL_CERT_DIR", "/somewhere")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    system = len(ssl.create_default_context().get_ca_certs())
    with pytest.raises(RuntimeError), loading():
        assert ssl.create_default_context().get_ca_certs() == [] and not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled() and {name: os.environ.get(name) for name in CERTIFICATES} == {
        "SSL_CERT_FILE": None, "SSL_CERT_DIR": "/somewhere"}
    assert len(ssl.create_default_context().get_ca_certs()) == system


@pytest.mark.big
def test_the_server_loads_no_numpy() -> None:
    """NumPy alone takes as much memory as the page at its door."""
    program = "import sys, edge.page.server; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
