"""A board in memory: two slots, a boot loader that counts as deploy/image/boot.cmd does, and power that may go away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.cli.updating.appliance import Look
from edge.cli.updating.rauc import Bundle, Slot, System
from edge.cli.updating.trial import ALL_LOOKS, Boot, Record

TRIES = 3
COMPATIBLE = "edge-audio-arm64"


class PowerCut(Exception):
    """The board is dark; what was written stays."""


class Restart(Exception):
    """The board starts anew, as it was told."""


@dataclass(frozen=True)
class Content:
    """What a slot holds, or a bundle. starts: the kernel comes up; works: the self-check can pass."""

    version: str
    starts: bool = True
    works: bool = True


class MadeBoard:
    """A `Board`. Each change of what lasts is one step; `cut_after` steps the power goes away (None: it stays)."""

    def __init__(self, content: Content) -> None:
        self.slots: dict[str, Content | None] = {"A": content, "B": None}
        self.order, self.left = ["A", "B"], {"A": TRIES, "B": TRIES}
        self.record, self.note = Record(), ""
        self.booted, self.boots = "", 0
        self.bundles: dict[str, Content] = {}
        self.cut_after: int | None = None
        self.microphone = self.broker = True
        self.sounding: tuple[str, ...] = ()
        self.clock, self.room, self.marked = 0.0, 1000, list[str]()

    def step(self) -> None:
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise PowerCut

    def power_on(self) -> None:
        """The boot loader, until a kernel comes up."""
        for _ in range(10):
            slot = next((each for each in self.order if self.left[each] > 0), None)
            if slot is None:
                self.order = self.order if self.order == ["B", "A"] else ["A", "B"]
                self.left = {"A": TRIES, "B": TRIES}
                continue
            self.left[slot] -= 1
            content = self.slots[slot]
            if content is not None and content.starts:
                self.booted, self.boots, self.note, self.clock = slot, self.boots + 1, "", 0.0
                return
        raise AssertionError("no slot comes up")

    @property
    def content(self) -> Content:
        content = self.slots[self.booted]
        assert content is not None
        return content

    def boot(self) -> Boot:
        bad = {slot for slot in self.slots if self.left[slot] == 0 or slot not in self.order}
        return Boot(self.booted, self.content.version, f"boot {self.boots}", frozenset(bad))

    def system(self) -> System:
        bad = self.boot().given_up
        slots = tuple(Slot(f"rootfs.{name}", name, Path(name), name == self.booted, name not in bad, "") for name in "AB")
        return System(COMPATIBLE, next((each for each in self.order if self.left[each] > 0), ""), slots)

    def slot_bytes(self, device: Path) -> int:
        return self.room

    def load(self) -> Record:
        return self.record

    def save(self, record: Record) -> None:
        self.step()
        self.record = record

    def tell(self, text: str) -> None:
        self.note = text

    def info(self, where: str) -> Bundle:
        return Bundle(COMPATIBLE, self.bundles[where].version, 900)

    def install(self, where: str, told: Callable[[str], None]) -> None:
        other = "B" if self.booted == "A" else "A"
        self.step()
        self.order, self.left[other] = [each for each in self.order if each != other], 0
        self.step()
        self.slots[other] = None
        self.step()
        self.slots[other] = self.bundles[where]
        self.step()
        self.order, self.left[other] = [other, *(each for each in self.order if each != other)], TRIES

    def mark_good(self) -> None:
        self.step()
        self.left[self.booted] = TRIES
        self.marked.append(self.booted)

    def mark_active(self) -> None:
        self.step()
        self.order = [self.booted, *(each for each in self.order if each != self.booted)]
        self.left[self.booted] = TRIES

    def look(self) -> Look:
        works = self.content.works
        passed = {"service": works, "samples": works and self.microphone, "delegate": works, "broker": works and self.broker}
        return Look(passed, str(self.boots), {each: f"no {each}" for each in ALL_LOOKS}, self.sounding)

    def restart(self) -> None:
        raise Restart

    def now(self) -> datetime:
        return datetime(2026, 12, 1, 3, 20, tzinfo=UTC) + timedelta(seconds=self.clock)

    def seconds(self) -> float:
        return self.clock

    def wait(self, seconds: float) -> None:
        self.clock += seconds
