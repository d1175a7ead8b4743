"""The image in an emulated machine, as an owner has it: a card is written, settings are laid on it, it starts.

    disk = Disk.write(folder / "disk.img", tmp_path / "disk.img")
    disk.put("user-data", "...")
    with Machine(disk, tools=folder) as machine:
        machine.wait_for("edge-audio .* is active", 300)
        print(machine.ssh("uptime", key))

`-M virt` has a network (ssh, and this machine at 10.0.2.2). `-M raspi3b` starts by the Pi's own U-Boot and has none; its
device tree has no watchdog, for the emulated one resets the machine as soon as it is armed. A machine's clock goes by its
instructions, 2 ns each: however busy the host is, nothing times out there.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from zlib import crc32

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TOOL = REPOSITORY / "deploy" / "image" / "tool.sh"
MIB = 1 << 20
BOOT_AT, ROOT_A_AT, ROOT_B_AT, DATA_AT = 4 * MIB, 132 * MIB, 772 * MIB, 1412 * MIB
"""Where the partitions begin (deploy/image/disk.sh)."""
COUNTERS_AT = (1 * MIB, 2 * MIB)
COUNTERS_BYTES = 0x4000


class ImageError(Exception):
    """Something that a machine was to do was not done; says what was wanted and what was found."""


def _run(*words: object, timeout: float = 120, codes: tuple[int, ...] = (0,), stdin: bytes | None = None) -> bytes:
    environment = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run([str(word) for word in words], input=stdin, capture_output=True, timeout=timeout, check=False,
                          env=environment)
    if done.returncode not in codes:
        said = (done.stderr + done.stdout).decode(errors="replace")
        raise ImageError(f"{words[0]}: found exit code {done.returncode}, wanted {codes}: {said[-2000:]}")
    return done.stdout


class Disk:
    """A card with the image on it: a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def write(cls, image: Path, path: Path, *, mib: int = 4096) -> Disk:
        """Write the raw image to a new, larger disk. mib: the disk's size; for raspi3b a power of two."""
        _run("cp", "--sparse=always", image, path)
        os.truncate(path, mib * MIB)
        return cls(path)

    def copy(self, path: Path) -> Disk:
        """Another disk with the same on it, as of now."""
        _run("cp", "--sparse=always", self.path, path)
        return Disk(path)

    def put(self, name: str, text: str | bytes) -> None:
        """Write a file to the boot partition, as any computer can."""
        data = text.encode() if isinstance(text, str) else text
        _run("mcopy", "-o", "-i", f"{self.path}@@{BOOT_AT}", "-", f"::{name}", stdin=data)

    def read(self, name: str) -> str:
        """A file of the boot partition."""
        return _run("mtype", "-i", f"{self.path}@@{BOOT_AT}", f"::{name}").decode(errors="replace")

    def names(self) -> list[str]:
        """What lies on the top of the boot partition."""
        return _run("mdir", "-b", "-i", f"{self.path}@@{BOOT_AT}", "::").decode().replace("::/", "").split()

    def read_data(self, path: str) -> bytes:
        """A file of the data partition, such as /system/settings.json; empty where there is none."""
        return _run("debugfs", "-R", f"cat {path}", f"{self.path}?offset={DATA_AT}")

    def counters(self) -> dict[str, str]:
        """The boot counters, from the newer whole copy, read as U-Boot's script does."""
        (_, newest) = max(self._copies(), default=(0, b""))
        return dict(pair.split("=", 1) for pair in newest.rstrip(b"\0").decode().split("\0") if pair)

    def _copies(self) -> list[tuple[int, bytes]]:
        found = []
        with self.path.open("rb") as disk:
            for at in COUNTERS_AT:
                disk.seek(at)
                raw = disk.read(COUNTERS_BYTES)
                if crc32(raw[5:]) == int.from_bytes(raw[:4], "little"):
                    found.append((raw[4], raw[5:]))
        if len(found) == 2 and {found[0][0], found[1][0]} == {0, 255}:
            found = [(flag or 256, data) for flag, data in found]    # the count has just begun anew
        return found

    def _take_out(self, at: int, end: int, part: Path) -> None:
        """Write the bytes from `at` to `end` to a file, without room for zeros."""
        nothing = bytes(MIB)
        with self.path.open("rb") as disk, part.open("wb") as file:
            disk.seek(at)
            while (left := min(MIB, end - disk.tell())) > 0:
                piece = disk.read(left)
                file.seek(len(piece), os.SEEK_CUR) if piece == nothing else file.write(piece)
            file.truncate()

    def check(self) -> list[str]:
        """Check copies of the file systems as a start does, by their journals. What is wrong beyond that, one line each."""
        wrong = []
        part = self.path.with_suffix(".part")
        for name, at, end in (("root A", ROOT_A_AT, ROOT_B_AT), ("data", DATA_AT, self.path.stat().st_size)):
            self._take_out(at, end, part)    # e2fsck loses an offset when it has mended by the journal
            done = subprocess.run(["/sbin/e2fsck", "-fp", str(part)], capture_output=True, text=True, check=False)
            if done.returncode & ~1:
                wrong.append(f"{name}: {done.stdout.strip()} {done.stderr.strip()}")
        self._take_out(BOOT_AT, ROOT_A_AT, part)
        with part.open("r+b") as file:
            file.seek(65)
            file.write(b"\0")    # the mark of one that was mounted when the power went, which is nothing wrong by itself
        done = subprocess.run(["/sbin/fsck.fat", "-n", str(part)], capture_output=True, text=True, check=False)
        part.unlink()
        # The count of free clusters is a hint, which a driver makes anew.
        harmless = r"Free cluster summary wrong|Auto-correcting|Leaving filesystem unchanged|: \d+ files, |^\s*$"
        said = [line for line in done.stdout.splitlines()[1:] if not re.search(harmless, line)]
        if done.returncode and said:
            wrong.append(f"boot: {' '.join(said)}")
        return wrong


class Machine:
    """An emulated machine with a card in it. As a context: it is killed at the end, if it still runs.

    tools: the folder in which `make image` worked. kind: "virt" or "raspi3b".
    """

    def __init__(self, disk: Disk, *, tools: Path, kind: str = "virt", megabytes: int = 512) -> None:
        self.disk, self.tools, self.kind, self.megabytes = disk, tools, kind, megabytes
        self.port = 0
        self.lines: list[str] = []
        self.started = 0.0
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def __enter__(self) -> Machine:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def _command(self) -> list[str]:
        qemu = self.tools / "tools/usr"
        # With a boot loader and ACPI `virt` has no GPIO chip.
        kind = "virt,acpi=off" if self.kind == "virt" else self.kind
        words = ["-L", f"{qemu}/share/qemu", "-M", kind, "-display", "none", "-monitor", "none"]
        disk = f"file={self.disk.path},format=raw,cache=writeback"
        if self.kind == "raspi3b":
            tree = self.disk.path.with_suffix(".dtb")
            shutil.copy(self.tools / "boot/bcm2837-rpi-3-b.dtb", tree)
            _run("fdtput", "-t", "s", tree, "/soc/watchdog@7e100000", "status", "disabled")
            return [*words, "-qmp", f"unix:{self.disk.path}.qmp,server=on,wait=off", "-icount", "shift=1,sleep=off",
                    "-serial", "null", "-serial", "stdio", "-kernel", f"{self.tools}/boot/u-boot.bin", "-dtb", str(tree),
                    "-drive", f"if=sd,{disk}"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # One processor: two would wait for each other where they cannot run at the same time.
        return [*words, "-icount", "shift=1", "-cpu", "cortex-a72", "-smp", "1", "-m", f"{self.megabytes}",
                "-bios", f"{qemu}/lib/u-boot/qemu_arm64/u-boot.bin", "-drive", f"if=none,id=disk,{disk}",
                "-device", "virtio-blk-pci,drive=disk", "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22",
                "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci", "-serial", "stdio"]

    def start(self) -> None:
        """Give it power."""
        words = ["nice", "-n", "10", str(TOOL), str(self.tools), "qemu-system-aarch64", *self._command()]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.started = time.monotonic()
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._changed:
                self.lines.append(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", line.decode(errors="replace")).rstrip())
                self._changed.notify_all()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_for(self, pattern: str, seconds: float, *, after: int = 0) -> str:
        """The first line of the console that the pattern is found in, from line number `after` on.

        Raises ImageError, with the end of the console, where none comes in time or the machine ends.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for line in self.lines[after:]:
                    if re.search(pattern, line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or not self.runs:
                    raise ImageError(f"console: no line {pattern!r} in {seconds:.0f} s:\n{self.console()}")
                self._changed.wait(min(left, 1.0))

    def ssh(self, command: str, key: Path, *, user: str = "owner", timeout: float = 240, codes: tuple[int, ...] = (0,),
            stdin: bytes = b"") -> str:
        """What the command prints on the machine. Raises ImageError where its exit code is none of `codes`."""
        words = ["ssh", "-i", key, "-p", self.port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", f"{user}@127.0.0.1", command]
        return _run(*words, timeout=timeout, codes=codes, stdin=stdin).decode(errors="replace")

    def wait_for_ssh(self, key: Path, seconds: float, *, user: str = "owner") -> None:
        """Wait until a command runs there."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.ssh("true", key, user=user)
                return
            except (ImageError, subprocess.TimeoutExpired) as error:
                if time.monotonic() > deadline or not self.runs:
                    said = f"ssh: {user} could not log in within {seconds:.0f} s: {error}\n{self.console()}"
                    raise ImageError(said) from error
                time.sleep(2)

    def console(self, lines: int = 40) -> str:
        """The end of what stands on the console."""
        return "\n".join(self.lines[-lines:])

    def kill(self) -> None:
        """Take the power away, now."""
        if self._process is not None and self._reader is not None:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def wait_off(self, seconds: float) -> None:
        """Wait until it has powered off by itself."""
        assert self._process is not None
        self._process.wait(seconds)
