"""Which installation this is, and how each is updated: only the image has two slots."""

from __future__ import annotations

import sys
from pathlib import Path

import edge
from edge.cli.updating.board import image_version
from edge.errors import SettingsError


def require_image(root: Path = Path("/"), package: Path | None = None, prefix: Path | None = None) -> None:
    """package: the folder of the program; prefix: of its Python; for tests.

    Raises SettingsError, with the way to update this installation, where this is not the image.
    """
    if image_version(root / "etc/os-release") and (root / "etc/rauc/system.conf").is_file():
        return
    found, wanted = _other(root, package or Path(edge.__file__).resolve().parent, prefix or Path(sys.prefix))
    raise SettingsError("update", found=found, wanted=f"the image, which has two slots. Here: {wanted}")


def _other(root: Path, package: Path, prefix: Path) -> tuple[str, str]:
    if package.is_relative_to(root / "usr/lib/edge-audio"):
        return "the Debian package", "`apt install ./edge-audio_*.deb` with the new package"
    if prefix.is_relative_to(root / "opt/edge-audio"):
        return "what deploy/install.sh installed", "`git pull` in the clone, then `sudo deploy/install.sh` again"
    if (package.parent / ".git").exists():
        return f"a clone, {package.parent}", "`git pull`, then `make install`"
    return f"a Python package in {package.parent}", "`pip install --upgrade`, as it was installed"
