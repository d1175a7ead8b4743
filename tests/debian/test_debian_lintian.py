"""What Debian 13's lintian says of the packages that `make deb-test` built, and what is in them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PACKAGES = sorted(Path(os.environ.get("EDGE_AUDIO_DEBS", "/nowhere")).glob("*-1~*.deb"))


@pytest.fixture(scope="module")
def tools() -> Path:
    """A Debian root with lintian."""
    named = os.environ.get("EDGE_AUDIO_DEB_TOOLS")
    if named is None:
        pytest.skip("EDGE_AUDIO_DEB_TOOLS: no Debian with lintian; make deb-test makes one")
    return Path(named)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_lintian_finds_nothing(tools: Path, package: Path) -> None:
    """Neither error nor warning. What is overridden has its reason in deploy/debian/lintian-overrides."""
    shutil.copy(package, tools / "tmp" / package.name)
    done = subprocess.run(["chroot", "--userspec=nobody:nogroup", tools, "env", "HOME=/tmp", "lintian", "--fail-on",
                           "error,warning", "--tag-display-limit", "0", f"/tmp/{package.name}"],
                          capture_output=True, text=True, check=False)
    (tools / "tmp" / package.name).unlink()
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_four_are_there() -> None:
    if "EDGE_AUDIO_DEBS" not in os.environ:
        pytest.skip("EDGE_AUDIO_DEBS: no folder of packages; make deb-test makes one")
    assert [path.name.split("~")[1] for path in PACKAGES] == [
        "deb12_amd64.deb", "deb12_arm64.deb", "deb13_amd64.deb", "deb13_arm64.deb"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_its_libraries_are_of_its_machine_and_its_python(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    libraries = [line.split()[5] for line in listed.splitlines() if "cpython" in line]
    machine = "aarch64" if package.name.endswith("_arm64.deb") else "x86_64"
    python = "313" if "~deb13" in package.name else "311"
    assert len(libraries) > 10 and all(f"cpython-{python}-{machine}" in name for name in libraries)
    assert not [line for line in listed.splitlines() if line.endswith((".pyc", "/tests/"))]
