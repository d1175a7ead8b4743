"""A Debian in a folder, which deploy/install-root.sh made, and how programs run in it. No systemd runs there."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from tests.control.service_socket import Manager

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SETTINGS = "/etc/edge-audio/edge-audio.toml"


class Root:
    """The folder; a path in it is `root / "/etc/passwd"`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __truediv__(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def command(self, *words: str, user: str = "", variables: tuple[str, ...] = (), network: bool = True) -> list[str]:
        """The command line that runs `words` in there, as root or as a user of it."""
        ours = [word for name in os.environ if name.startswith(("EDGE_", "PYTHON", "VIRTUAL_")) for word in ("-u", name)]
        come_as = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        return ["env", *ours, f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                "QEMU_CPU=cortex-a53", *variables, *([] if network else ["unshare", "--net"]), "chroot", str(self.folder),
                *come_as, *words]

    def run(self, *words: str, code: int = 0, user: str = "", network: bool = True) -> str:
        """What a command said, standard output before errors; fails the test where it ended otherwise than with `code`."""
        done = subprocess.run(self.command(*words, user=user, network=network), capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr


def fresh_root() -> Root:
    """The root that the make target made; skips the test where there is none."""
    folder = os.environ.get("EDGE_AUDIO_INSTALL_ROOT")
    if folder is None:
        pytest.skip("EDGE_AUDIO_INSTALL_ROOT: no fresh Debian; make install-test and make deb-test make one")
    return Root(Path(folder))


def comes_up(root: Root, unit: str) -> list[str]:
    """Start what the unit (a path in the root) starts, as its user, until systemd is told that it is well, and end it.

    Gives its log.
    """
    (start,) = [line.removeprefix("ExecStart=") for line in (root / unit).read_text().splitlines()
                if line.startswith("ExecStart=")]
    manager = Manager(f"@edge-audio-install-{os.getpid()}")
    variables = (f"NOTIFY_SOCKET={manager.address}", "WATCHDOG_USEC=3000000", "EDGE_AUDIO_STATE=/var/lib/edge-audio")
    process = subprocess.Popen(root.command(*start.split(), user="edge-audio", variables=variables), text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               start_new_session=True)
    lines: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()))
    reader.start()
    try:
        manager.is_told("READY=1")
        manager.is_told("STATUS=hearing hand_clap; microphone: none at all")
        manager.is_told("WATCHDOG=1")
        process.terminate()
        assert process.wait(60) == 0
        manager.is_told("STOPPING=1")
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stderr.close()
        manager.close()
    return lines
