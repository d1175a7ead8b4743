"""Keeps the chatter of C libraries off standard error while PortAudio looks for cards.

Each time, ALSA and JACK print a dozen lines about devices that are not there. For a moment, file descriptor 2
is a pipe, and a thread sorts its lines: other threads' log lines pass on at once. (An error handler set in
libasound through ctypes would have to outlive every thread of libasound.)
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger(__name__)
_CHATTER = re.compile(rb"ALSA lib |Expression '|Cannot connect to server|jack server|Jack|connect\(2\) call to|"
                      rb"attempt to connect to server|PaHost|Pa[A-Z]\w+: |Failed to init|Error in function|$")
_END = b"\0end of the quiet\n"
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """While it lasts, lines of ALSA, JACK and PortAudio on standard error go to the debug log instead."""
    with _ONE_AT_A_TIME:
        try:
            real = os.dup(2)
        except OSError:  # a daemon without standard error: nothing to keep clean
            yield
            return
        heard, said = os.pipe()
        chatter: list[bytes] = []
        sieve = threading.Thread(target=_sift, args=(heard, real, chatter), name="edge-quiet", daemon=True)
        sieve.start()
        os.dup2(said, 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            # Not the end of the pipe but a last line: a child started meanwhile may hold its other end open.
            os.write(said, _END)
            sieve.join()
            for descriptor in (heard, said, real):
                os.close(descriptor)
        for line in chatter:
            _LOG.debug("%s", line.decode(errors="replace").rstrip())


def _sift(heard: int, real: int, chatter: list[bytes]) -> None:
    rest = b""
    while True:
        rest += os.read(heard, 65_536)
        *lines, rest = rest.split(b"\n")
        for line in lines:
            if line + b"\n" == _END:
                return
            if _CHATTER.match(line):
                chatter.append(line)
            else:
                os.write(real, line + b"\n")
