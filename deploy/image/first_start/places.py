"""Where things lie, below a root: the machine's own, or a folder in a test."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Every path that the first start reads or writes. root: what stands for /."""

    root: Path

    @property
    def boot(self) -> Path:
        """The FAT partition, which an owner sees on any computer."""
        return self.root / "boot" / "firmware"

    @property
    def report(self) -> Path:
        return self.boot / "edge-audio-report.txt"

    @property
    def data(self) -> Path:
        """The partition that stays when a slot is replaced."""
        return self.root / "data"

    @property
    def system(self) -> Path:
        return self.data / "system"

    @property
    def record(self) -> Path:
        return self.system / "settings.json"

    @property
    def settings(self) -> Path:
        """The appliance's settings; /etc/edge-audio shows this folder."""
        return self.data / "etc-edge-audio" / "edge-audio.toml"

    def served(self, version: str) -> Path:
        """The settings that this version of the image took last: a rollback may need them."""
        return self.system / "served" / f"{re.sub(r'[^A-Za-z0-9.+~-]', '_', version)}.toml"

    @property
    def credentials(self) -> Path:
        return self.data / "etc-edge-audio" / "credentials"

    @property
    def password(self) -> Path:
        """The broker's password, which the unit hands over as the credential mqtt-password."""
        return self.credentials / "mqtt-password"

    @property
    def state(self) -> Path:
        return self.data / "state"

    @property
    def homes(self) -> Path:
        return self.data / "home"

    @property
    def host_keys(self) -> Path:
        return self.data / "ssh"

    @property
    def run(self) -> Path:
        """What `apply` makes for this boot; gone with the power."""
        return self.root / "run" / "edge-audio-image"

    @property
    def netplan_generate(self) -> Path:
        """What netplan's own command runs: that would also wait for systemd, which is busy with this start."""
        return self.root / "usr" / "libexec" / "netplan" / "generate"

    @property
    def netplan(self) -> Path:
        return self.root / "run" / "netplan" / "90-owner.yaml"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def zones(self) -> Path:
        return self.root / "usr" / "share" / "zoneinfo"

    @property
    def is_machine(self) -> bool:
        """Whether this is the running machine, with mounts and services."""
        return self.root == Path("/")

    def image_version(self) -> str:
        """IMAGE_VERSION of the slot's os-release, or "unknown"."""
        try:
            lines = (self.etc / "os-release").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        return next((line.partition("=")[2].strip("\"'") for line in lines if line.startswith("IMAGE_VERSION=")), "unknown")
