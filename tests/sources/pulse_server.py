"""A PulseAudio server of our own, whose microphones are pipes: no sound card, no session, no other program's sound."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE_SECONDS = 60.0
SYSTEM_ALSA = Path("/usr/share/alsa/alsa.conf")
NAME = "housemic"
"""What PortAudio calls the microphone."""


def missing() -> str:
    """What a test of this server lacks on this machine, "" for nothing."""
    if shutil.which("pulseaudio") is None:
        return "pulseaudio is not installed"
    plugins = [*Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")]
    return "" if plugins and SYSTEM_ALSA.exists() else "ALSA's pulse plugin (libasound2-plugins) is not installed"


class PulseServer:
    """Started and ended as often as you like; it keeps no sound of its own making."""

    def __init__(self, folder: Path, *, sources: str = "") -> None:
        """folder: for the socket, the settings and the log. sources: lines that load microphones at each start; without
        them `load_pipe` does."""
        self._folder = folder
        self.pipe = folder / "mic.fifo"
        """What is written there, the microphone of `load_pipe` gives."""
        self._socket, self._script = folder / "pulse.sock", folder / "pulse.pa"
        self._script.write_text(f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}\n{sources}",
                                encoding="utf-8")
        self._conf = folder / "alsa.conf"
        self.number(NAME)
        self.environment = {"ALSA_CONFIG_PATH": str(self._conf), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        """What the program needs that hears the microphone."""
        self._server: subprocess.Popen[bytes] | None = None

    def number(self, *names: str) -> None:
        """What ALSA knows, in this order: NAME is the microphone `pipe`, another name one that the server does not have."""
        lines = [f'pcm.{name} {{ type pulse  server "unix:{self._socket}"  device "{"pipe" if name == NAME else name}" }}'
                 for name in names]
        new = self._conf.with_suffix(".new")
        new.write_text("\n".join((f"<{SYSTEM_ALSA}>", *lines, "")), encoding="utf-8")
        new.rename(self._conf)

    def start(self) -> None:
        """Returns once it answers."""
        self.pipe.unlink(missing_ok=True)  # one that was killed leaves it, and the next would have no microphone
        with (self._folder / "pulse.log").open("ab") as log:
            self._server = subprocess.Popen(
                ["pulseaudio", "-n", "-F", str(self._script), "--exit-idle-time=-1", "--disable-shm=yes", "--daemonize=no"],
                env={**os.environ, **self.environment}, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._server.poll() is None and time.monotonic() < deadline, "no PulseAudio"
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """As a crash would, or in good order."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(PATIENCE_SECONDS)
            self._server = None

    def freeze(self) -> None:
        """It hangs, and says nothing, until `end` or `thaw`."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> str:
        """What pactl answers."""
        done = subprocess.run(["pactl", "-s", f"unix:{self._socket}", *words], env={**os.environ, **self.environment},
                              capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
        return done.stdout.strip()

    def load_pipe(self, name: str = "pipe", *, rate: int = 16_000, channels: int = 1, pipe: Path | None = None) -> int:
        """Plug in a microphone; the number by which `unload` pulls it out."""
        return int(self.ask("load-module", "module-pipe-source", f"source_name={name}", f"file={pipe or self.pipe}",
                            f"rate={rate}", f"channels={channels}", "format=s16le"))

    def unload(self, module: int) -> None:
        """Pull it out."""
        self.ask("unload-module", str(module))
