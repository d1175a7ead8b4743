"""The card that forgets: what was flushed stays, what was not is lost in part, sector by sector."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.image.power import FLUSH, FUA, GO, OPTION_MAGIC, READ, SECTOR, WRITE, Power

pytestmark = pytest.mark.big

SECTORS = 64
Ask = Callable[..., bytes]


@contextmanager
def asked(power: Power) -> Iterator[Ask]:
    """A guest: ask(kind, sector, data=b"", count=0, flags=0)."""
    with socket.socket(socket.AF_UNIX) as peer, ExitStack() as stack:
        peer.connect(str(power.address))
        answers = stack.enter_context(peer.makefile("rb"))
        assert answers.read(18)[:8] == b"NBDMAGIC"
        peer.sendall(struct.pack(">IQII", 1, OPTION_MAGIC, GO, 6) + bytes(6))
        size = struct.unpack(">Q", answers.read(20 + 12)[22:30])[0]
        assert size == SECTORS * SECTOR
        answers.read(20)

        def ask(kind: int, sector: int = 0, data: bytes = b"", *, count: int = 0, flags: int = 0) -> bytes:
            length = len(data) or count * SECTOR
            peer.sendall(struct.pack(">IHHQQI", 0x25609513, flags, kind, 7, sector * SECTOR, length) + data)
            assert struct.unpack(">IIQ", answers.read(16)) == (0x67446698, 0, 7)
            return answers.read(length) if kind == READ else b""

        yield ask


@pytest.mark.parametrize("seed", range(12))
def test_what_was_flushed_stays(tmp_path: Path, seed: int) -> None:
    disk, chance = tmp_path / "disk.img", random.Random(seed)
    disk.write_bytes(bytes(SECTORS * SECTOR))
    power = Power(disk, chance)
    try:
        may: list[set[int]] = [{0} for _ in range(SECTORS)]
        with asked(power) as ask:
            for value in range(1, 120):
                start = chance.randrange(SECTORS)
                count = chance.randint(1, min(8, SECTORS - start))
                sure = chance.random() < 0.1
                ask(WRITE, start, bytes([value]) * count * SECTOR, flags=FUA * sure)
                for sector in range(start, start + count):
                    may[sector] = {value} if sure else may[sector] | {value}
                assert ask(READ, start, count=count) == bytes([value]) * count * SECTOR
                if chance.random() < 0.15:
                    now = [ask(READ, sector, count=1)[0] for sector in range(SECTORS)]
                    ask(FLUSH)
                    may = [{each} for each in now]
        open_sectors, lost = power.cut()
        assert open_sectors >= lost
        found = disk.read_bytes()
        for sector in range(SECTORS):
            data = found[sector * SECTOR:(sector + 1) * SECTOR]
            assert len(set(data)) == 1 and data[0] in may[sector]
    finally:
        power.close()


def test_some_cuts_lose_something(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(SECTORS * SECTOR))
    power = Power(disk, random.Random(3))
    shares = set()
    try:
        for _ in range(12):
            with asked(power) as ask:
                ask(WRITE, 0, b"x" * SECTORS * SECTOR)
            shares.add(round(power.cut()[1] / SECTORS, 1))
        assert {0.0, 1.0} < shares
    finally:
        power.close()
