"""A card whose power goes away: what was written and not flushed may be lost or torn, as on a real one.

Killing an emulator alone loses nothing: what it has written lies in this machine's memory. So the emulator gets its disk
from a small server here (the protocol of network block devices), which keeps what it overwrites until the guest flushes. A
cut puts the old content back, for a random part of the sectors that were written since.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import threading
from collections import deque
from pathlib import Path

from tests.image.machine import Machine

SECTOR = 512
VOLATILE_BYTES = 8 << 20
"""So much a card may keep to itself; what was written before that is on it."""
READ, WRITE, DISCONNECT, FLUSH, TRIM, ZEROES = 0, 1, 2, 3, 4, 6
FUA = 1
FEATURES = 1 | 4 | 8  # features are told; flush; force unit access
OPTION_MAGIC, REPLY_MAGIC = 0x49484156454F5054, 0x3E889045565A9
EXPORT_NAME, ABORT, INFO, GO = 1, 2, 6, 7


class Power:
    """Serves a disk's file to one emulator at a time. `cut` after the emulator is killed."""

    def __init__(self, disk: Path, chance: random.Random) -> None:
        self._file = os.open(disk, os.O_RDWR)
        self._size = os.fstat(self._file).st_size
        self._chance = chance
        self._pending: deque[tuple[int, bytes, bytes, bool]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self._peer: socket.socket | None = None
        self.flushes = self.written = 0
        self.address = disk.with_suffix(".socket")
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.address))
        self._server.listen(1)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> tuple[int, int]:
        """Lose a random part of what was not flushed; sectors that were open, and those that were lost."""
        with self._lock:
            share = self._chance.choice((0.0, 0.5, 1.0))  # nothing, some, all
            pending, self._pending, self._bytes = list(self._pending), deque(), 0
            for at, old, *_ in reversed(pending):
                os.pwrite(self._file, old, at)
            open_sectors = lost = 0
            for at, _, new, at_once in pending:
                for start in range(0, len(new), SECTOR):
                    open_sectors += not at_once
                    if not at_once and self._chance.random() < share:
                        lost += 1
                    else:
                        os.pwrite(self._file, new[start:start + SECTOR], at + start)
            return open_sectors, lost

    def close(self) -> None:
        for end in (self._server, self._peer):
            with contextlib.suppress(OSError):
                if end is not None:
                    end.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()
        self.address.unlink()
        os.close(self._file)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                peer, _ = self._server.accept()
                self._peer = peer
                with peer, contextlib.suppress(ConnectionError, EOFError):
                    if self._agree(peer):
                        while self._request(peer):
                            pass

    def _agree(self, peer: socket.socket) -> bool:
        peer.sendall(struct.pack(">8sQH", b"NBDMAGIC", OPTION_MAGIC, 3))
        _take(peer, 4)
        while True:
            _magic, option, length = struct.unpack(">QII", _take(peer, 16))
            _take(peer, length)
            if option == EXPORT_NAME:
                peer.sendall(struct.pack(">QH", self._size, FEATURES))
                return True
            if option in (GO, INFO):
                info = struct.pack(">HQH", 0, self._size, FEATURES)
                peer.sendall(struct.pack(">QIII", REPLY_MAGIC, option, 3, len(info)) + info)
            answer = 1 if option in (GO, INFO, ABORT) else 0x80000001
            peer.sendall(struct.pack(">QIII", REPLY_MAGIC, option, answer, 0))
            if option in (GO, ABORT):
                return bool(option == GO)

    def _request(self, peer: socket.socket) -> bool:
        _magic, flags, kind, handle, at, length = struct.unpack(">IHHQQI", _take(peer, 28))
        if kind == DISCONNECT:
            return False
        data = b""
        if kind == WRITE:
            new = _take(peer, length)
            with self._lock:
                self._write(at, new, bool(flags & FUA))
        with self._lock:
            if kind == READ:
                data = os.pread(self._file, length, at).ljust(length, b"\0")
            elif kind == FLUSH:
                self._pending.clear()
                self._bytes, self.flushes = 0, self.flushes + 1
        peer.sendall(struct.pack(">IIQ", 0x67446698, 0 if kind in (READ, WRITE, FLUSH) else 22, handle) + data)
        return True

    def _write(self, at: int, new: bytes, at_once: bool) -> None:
        self._pending.append((at, os.pread(self._file, len(new), at).ljust(len(new), b"\0"), new, at_once))
        self._bytes += len(new)
        while self._bytes > VOLATILE_BYTES:
            self._bytes -= len(self._pending.popleft()[1])
        os.pwrite(self._file, new, at)
        self.written += len(new)


def _take(peer: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = peer.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


class PoweredMachine(Machine):
    """A machine whose disk is served by `power`."""

    power: Power

    def _command(self) -> list[str]:
        served = f"file.driver=nbd,file.server.type=unix,file.server.path={self.power.address}"
        return [word.replace(f"file={self.disk.path}", served) for word in super()._command()]
