"""A certificate authority made by openssl for the tests, and what it signs, good and bad."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


class Authority:
    """A CA in a folder of its own; `ca` is its certificate."""

    def __init__(self, folder: Path, name: str = "the test's CA") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.ca, self.key = folder / "ca.pem", folder / "ca-key.pem"
        _make_key(self.key)
        _openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "2", "-out", self.ca)

    def sign(self, name: str, *, alternative: str = "", days: tuple[str, str] | None = None) -> tuple[Path, Path]:
        """The files of a certificate for `name` and of its key. alternative: "IP:127.0.0.1" and the like; days: from
        and to, as YYMMDDHHMMSSZ, instead of from now on."""
        stem = self.folder / f"{name}{len(list(self.folder.iterdir()))}"
        key, request, certificate = (stem.with_suffix(end) for end in (".key", ".csr", ".pem"))
        _make_key(key)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        settings = stem.with_suffix(".conf")
        (self.folder / "index").write_text("")
        settings.write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={self.folder}/index\nnew_certs_dir={self.folder}\n"
                            "default_md=sha256\npolicy=any\nunique_subject=no\nrand_serial=yes\n[any]\n"
                            f"commonName=supplied\n[more]\nbasicConstraints=CA:FALSE\n"
                            + (f"subjectAltName={alternative}\n" if alternative else ""))
        start, end = days or ("", "")
        period = ("-startdate", start, "-enddate", end) if days else ("-days", "2")
        _openssl("ca", "-batch", "-notext", "-config", settings, "-extensions", "more", *period, "-cert", self.ca,
                 "-keyfile", self.key, "-in", request, "-out", certificate)
        return certificate, key


def encrypt(key: Path) -> Path:
    """The same key with a passphrase."""
    to = key.with_suffix(".encrypted")
    _openssl("ec", "-in", key, "-aes256", "-passout", "pass:hunter2", "-out", to)
    to.chmod(0o600)
    return to


def _make_key(path: Path) -> None:
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    path.chmod(0o600)


def _openssl(*arguments: object) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make certificates with")
    environment = {name: value for name, value in os.environ.items() if name != "OPENSSL_CONF"}
    done = subprocess.run([openssl, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
