"""The appliance that runs with a state directory: it has the microphone, so others hear through it; and it is asked to
take up what was taught or calibrated. All by its watch socket."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import CommandError, SinkError, SourceError
from edge.features.mix import MEAN
from edge.seams import Source
from edge.settings import SourceSettings
from edge.sinks.watching.client import NOBODY, WatchClient
from edge.sinks.watching.messages import Message
from edge.sinks.watching.sound import sound_from
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Block, StreamFormat

APPLIANCE = "running appliance"
"""What errors call it."""
GREETING_SECONDS = 10.0
"""How long an appliance may take to say how it is."""
RELOAD_SECONDS = 60.0
"""How long a reload may take: a slow board opens its model anew."""
_LOOK_SECONDS = 0.5
_FORM = StreamFormat(SAMPLE_RATE, 1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A source to learn from. through: it hears through the running appliance. channel: of its sound, -1 for the mean."""

    source: Source
    through: bool
    channel: int


def open_heard(source: SourceSettings, state_dir: Path) -> Opened:
    """The settings' source, or the appliance that runs with this state directory and has that source open.

    A recording is opened itself, and a microphone where no appliance runs, or one that hears a recording. That sound comes
    through the appliance is said on standard error. Raises what `open_source` does; SourceError for an appliance that is
    muted, that stops or that takes no more watchers; SinkError for another user's.
    """
    if source.kind != "file" and (through := _through(state_dir)) is not None:
        print("hearing through the running appliance", file=sys.stderr)
        return Opened(through, True, MEAN)
    return Opened(open_source(source, Stats()), False, source.channel)


def _reached(state_dir: Path) -> WatchClient | None:
    """The appliance that runs with this state directory; None where none does. Raises SinkError for another user's."""
    try:
        return WatchClient(state_dir)
    except SinkError as error:
        if error.found == NOBODY:
            return None
        raise


def _through(state_dir: Path) -> Through | None:
    client = _reached(state_dir)
    if client is None:
        return None
    try:
        through = Through(client)
        if through.heard_live:
            return through
    except BaseException:
        client.close()
        raise
    client.close()
    return None


class Through:
    """A source: what the appliance hears, as mixed and resampled there. Fails where the appliance is muted or stops."""

    live = True
    hangs = False
    waiting_seconds = 0.0

    def __init__(self, client: WatchClient) -> None:
        """client: closed with this source. Waits for its first word. Raises SourceError where none comes or it is muted."""
        self._client = client
        self._about: Mapping[str, Any] = {}
        self._begun: int | None = None
        self._expected = 0
        self._closed = self._ended = False
        deadline = time.monotonic() + GREETING_SECONDS
        while not self._about:
            if (left := deadline - time.monotonic()) <= 0:
                raise SourceError(APPLIANCE, found=f"no word in {GREETING_SECONDS:g} s", wanted="one that answers")
            self._heard(left)

    @property
    def heard_live(self) -> bool:
        """Whether the appliance hears something live, not a recording."""
        return bool(self._about.get("source_live"))

    @property
    def state(self) -> str:
        """As the appliance says of its own source."""
        return str(self._about.get("source", "ok"))

    @property
    def trouble(self) -> str:
        """As the appliance says of its own source."""
        return str(self._about.get("source_trouble", ""))

    def hurry(self, seconds: float) -> None:
        """The appliance sends what it hears; nothing waits here."""

    def blocks(self) -> Iterator[Block | None]:
        """Blocks of 0.1 s at most, the first at position 0. Raises SourceError for an appliance that is muted or stops."""
        try:
            try:
                self._client.want("sound")
            except SinkError as error:
                raise SourceError(APPLIANCE, found=error.found, wanted=error.wanted) from error
            while not self._closed:
                blocks = self._heard(_LOOK_SECONDS)
                if not blocks:
                    yield None
                for block in blocks:
                    if not self._closed:
                        yield block
        finally:
            self.close()

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        self._client.close()

    def _heard(self, seconds: float) -> list[Block]:
        """Blocks of what comes within so many seconds. Raises SourceError, after an end only once all blocks are given."""
        if self._ended and not self._closed:
            raise SourceError(APPLIANCE, found="its end", wanted="one that runs until enough was heard")
        try:
            select.select([self._client], [], [], seconds)
            blocks = [block for told in self._client.take() if (block := self._taken(told)) is not None]
        except (SinkError, ValueError) as error:  # ValueError: closed by another thread meanwhile
            if self._closed:
                return []
            raise SourceError(APPLIANCE, found=str(error), wanted="the same edge-audio on both sides") from error
        self._ended = self._ended or self._client.ended
        return blocks

    def _taken(self, told: Message) -> Block | None:
        """The block of a message of sound; None of others. Raises SourceError for what there can be no sound after."""
        kind = told["kind"]
        if kind == "sound":
            return self._block(told)
        if kind == "about":
            self._about = dict(told["about"])
            if self.heard_live and self._about.get("muted"):
                raise SourceError(APPLIANCE, found="muted", wanted="one that hears: unmute it (its button, the page, MQTT)")
        elif kind == "refused":
            raise SourceError(APPLIANCE, found=str(told.get("reason")), wanted="room for one more: close a watch or a page")
        elif kind == "bye":
            self._ended = True
        elif kind == "answer" and not told["ok"]:
            raise SourceError(APPLIANCE, found=str(told["error"]), wanted="the same edge-audio on both sides")
        return None

    def _block(self, told: Message) -> Block:
        sound = sound_from(told)
        gap = self._begun is not None and (sound.gap or sound.position != self._expected)
        if self._begun is None:
            self._begun = sound.position
        self._expected = sound.position + len(sound.samples)
        return Block(sound.samples, sound.position - self._begun, _FORM, gap)


def reload_running(state_dir: Path) -> tuple[str, ...] | None:
    """Have the appliance that runs with this state directory look again at what was taught, calibrated and set.

    The names of what it hears from then on; None where no appliance runs. Raises CommandError for one that refuses, or that
    does not answer; SinkError for another user's.
    """
    client = _reached(state_dir)
    if client is None:
        return None
    try:
        client.command("reload", request="taken-up")
        deadline = time.monotonic() + RELOAD_SECONDS
        while not client.ended and (left := deadline - time.monotonic()) > 0:
            select.select([client], [], [], left)
            for told in client.take():
                if told["kind"] == "answer":
                    if not told["ok"]:
                        raise CommandError(f"{APPLIANCE}: reload", found=str(told["found"]), wanted=str(told["wanted"]))
                    return tuple(map(str, told["targets"]))
    except SinkError as error:
        raise CommandError(f"{APPLIANCE}: reload", found=error.found, wanted=error.wanted) from error
    finally:
        client.close()
    raise CommandError(f"{APPLIANCE}: reload", found="its end" if client.ended else f"no answer in {RELOAD_SECONDS:g} s",
                       wanted="an answer")
