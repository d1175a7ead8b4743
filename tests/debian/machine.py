"""A Debian root that runs with its own systemd, in a container of this machine: systemd-nspawn, and nsenter to come in."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tests.debian_root import PATH

PATIENCE_SECONDS = 120


class Machine:
    """Starts the root; use it in a with statement. It has this machine's network, and no sound card."""

    def __init__(self, folder: Path) -> None:
        # What deploy/install-root.sh mounted in the root is not for a container, which mounts its own.
        bare = ["unshare", "--mount", "sh", "-c", 'umount "$0/proc" "$0/sys" "$0/dev"; exec "$@"', folder]
        options = ["-q", "-D", folder, "--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off"]
        self._process = subprocess.Popen(
            [*bare, "systemd-nspawn", *options, "/usr/lib/systemd/systemd"], start_new_session=True,
            env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._leader = ""

    def __enter__(self) -> Machine:
        wait_until = time.monotonic() + PATIENCE_SECONDS
        state = ""
        while time.monotonic() < wait_until and self._process.poll() is None:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            if children:
                self._leader = children[0]
                state = self._enter("systemctl", "is-system-running").stdout.strip()
                if state in ("running", "degraded"):
                    return self
            time.sleep(0.2)
        self.__exit__()
        raise AssertionError(f"the container did not come up: {state or 'nothing'}, exit {self._process.returncode}")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def _enter(self, *words: str) -> subprocess.CompletedProcess[str]:
        into = ["nsenter", "-t", self._leader, "-m", "-u", "-i", "-n", "-p", "-C", "--root", "--wd=/"]
        variables = [f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        return subprocess.run([*into, "env", "-i", *variables, *words], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)

    def run(self, *words: str, code: int = 0) -> str:
        """What a command said in there, as root; fails the test where it ended otherwise than with `code`."""
        done = self._enter(*words)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def shown(self, unit: str, what: str) -> str:
        """A property of a unit, as `systemctl show` has it."""
        return self.run("systemctl", "show", "--value", "-p", what, unit)
