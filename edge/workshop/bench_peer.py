"""Another program over the same sound, in a process and an environment of its own: MediaPipe's audio classifier."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import ModelError, SettingsError
from edge.workshop.bench import WARM_SECONDS
from edge.workshop.bench_sound import test_sound, write_wav

MEDIAPIPE = "mediapipe"
PEERS = (MEDIAPIPE,)
PYTHON = "EDGE_AUDIO_MEDIAPIPE_PYTHON"
_HOW = "(deploy/mediapipe.sh FOLDER PYTHON true makes one: FOLDER/bin/python)"
_GOODBYE_SECONDS = 60.0

_SCRIPT = """
import sys, time, wave, numpy
from mediapipe.tasks.python import BaseOptions, audio
from mediapipe.tasks.python.components import containers
WINDOW = 15600
with wave.open(sys.argv[2], "rb") as file:
    rate, sound = file.getframerate(), numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
options = audio.AudioClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]), max_results=5)
with audio.AudioClassifier.create_from_options(options) as classifier:
    print("ready", flush=True)
    for line in sys.stdin:
        hop, hops = map(int, line.split())
        mark = time.process_time()
        for number in range(hops):
            start = min(number * hop, len(sound) - WINDOW)
            window = sound[start: start + WINDOW].astype(numpy.float32) / numpy.float32(32768.0)
            classifier.classify(containers.AudioData.create_from_array(window, rate))
        print(time.process_time() - mark, flush=True)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
"""As MediaPipe's guide has it, the five highest labels of each window. CPU seconds of all threads; the peak in kB."""


def peer_python(named: Path | None) -> Path:
    """The Python that has MediaPipe: the one that is named, else the environment's. Raises SettingsError for none."""
    python = named or Path(os.environ.get(PYTHON, ""))
    if python == Path():
        raise SettingsError("--against mediapipe", found="no Python that has MediaPipe",
                            wanted=f"--peer-python FILE, or {PYTHON} {_HOW}")
    if not python.is_file():
        raise SettingsError("--against mediapipe", found=f"no file {python}", wanted=f"a Python that has MediaPipe {_HOW}")
    return python


def _without_ours() -> dict[str, str]:
    """The environment without what leads Python to our libraries."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


class MediaPipe:
    """MediaPipe's audio classifier in a process that waits for its turns. Close it: its peak is known then."""

    peak_bytes = 0

    def __init__(self, python: Path, whole: Path, seconds: float) -> None:
        """python: one that has MediaPipe. whole: a published file with its labels inside. seconds: of sound that counts.

        Raises ModelError where it does not start.
        """
        self._python = python
        self._folder = tempfile.TemporaryDirectory()
        sound, errors = (Path(self._folder.name) / name for name in ("sound.wav", "errors"))
        write_wav(sound, test_sound(WARM_SECONDS + seconds)[-round(seconds * 16_000):])
        self._errors = errors
        with errors.open("w") as said:
            self._process = subprocess.Popen([python, "-P", "-c", _SCRIPT, whole, sound], stdin=subprocess.PIPE, text=True,
                                             stdout=subprocess.PIPE, stderr=said, env=_without_ours())
        try:
            self._line()
        except ModelError:
            self.close()
            raise

    def hear(self, hop_seconds: float, hops: int) -> float:
        """CPU seconds of a window a hop, `hops` times. Raises ModelError where the process fails."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{round(hop_seconds * 16_000)} {hops}\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, and says why when it is read
        return float(self._line())

    def close(self) -> None:
        """End the process and learn its peak memory. Safe twice."""
        if self._process.returncode is None:
            try:
                said, _ = self._process.communicate(timeout=_GOODBYE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                said, _ = self._process.communicate()
            if self._process.returncode == 0:
                self.peak_bytes = int(said.split()[-1]) * 1024
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            said = self._errors.read_text(errors="replace").strip()[-300:]
            raise ModelError(f"{self._python}", found=said or "a process that ended",
                             wanted=f"a Python that has MediaPipe {_HOW}")
        return line
