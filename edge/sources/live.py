"""What a microphone and a command share: a thread that keeps the device open, and blocks for the listener."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from edge.backoff import Backoff
from edge.errors import EdgeError, SettingsError, SourceError
from edge.settings import SourceSettings
from edge.sources.condition import Condition
from edge.sources.crossing import Bell, BlockQueue
from edge.stats import Stats
from edge.stream import Block

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
"""Half of the second within which `blocks` must give at least None."""
_JOIN_SECONDS = 5.0
HUNG_SECONDS = 90.0
"""Longer than any opening, stall and giving back of a device that comes to an end."""
REOPEN_SECONDS = 60.0
"""A device that has given one value for so long is opened again, which mends some; then after twice as long, and so on. It
may be muted."""


class LiveSource(ABC):
    """A device that is opened, heard, lost, and looked for again until `close`.

    A thread of its own does the opening and closing: PortAudio or a command may take seconds over it, and the listener
    must not wait. Blocks cross in `self._crossing`.
    """

    live = True

    def __init__(self, settings: SourceSettings, stats: Stats, *, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: monotonic, in seconds."""
        self._settings = settings
        self._stats = stats
        self._clock = clock
        self._crossing = BlockQueue(settings.queue_blocks, stats, block_seconds=settings.block_seconds)
        self._closing = Bell()
        self._condition = Condition(settings.channel)
        self._trouble = "opening"
        self._error: EdgeError | None = None
        self._said = "opening"
        self._times_opened = 0
        self._busy_since: float | None = None
        self._heard_at = 0.0
        self._still_since: float | None = None
        self._reopen_seconds = REOPEN_SECONDS
        self._opens_again = False

    @property
    def trouble(self) -> str:
        """"" where all is well; see `Source`."""
        if self.hangs:
            return "hanging"
        if self._trouble:
            return "opening" if self._trouble == "opening" else "missing"
        return self._condition.trouble

    @property
    def hangs(self) -> bool:
        """Whether the thread that keeps the device has been in its driver for HUNG_SECONDS without a block.

        A device that is missing is no such case: the thread comes back, and tries again after a pause.
        """
        busy = self._busy_since
        return busy is not None and self._clock() - max(busy, self._heard_at) > HUNG_SECONDS

    @property
    def waiting_seconds(self) -> float:
        """See `Source`."""
        return self._crossing.waiting_seconds

    def hurry(self, seconds: float) -> None:
        """See `Source`."""
        self._crossing.hurry(seconds)

    @property
    @abstractmethod
    def name(self) -> str:
        """What the owner knows it by, for `state` and log lines."""

    @abstractmethod
    def _hear(self) -> None:
        """Open the device, offer its blocks, give it back. Returns after `close`; raises SourceError where it is lost.

        Raises SettingsError where the device is there and cannot do what the settings ask.
        """

    @property
    def state(self) -> str:
        """"ok", or what is wrong: "opening", not found, lost, and what `Condition` finds."""
        if self.hangs:
            return f"{self.name} hangs in its driver"
        if self._trouble:
            return self._trouble
        return "ok" if self._condition.state == "ok" else f"{self.name} {self._condition.state}"

    def blocks(self) -> Iterator[Block | None]:
        """Blocks as they arrive; None at least once a second while none do; ends after `close`.

        Raises SourceError or SettingsError where waiting cannot help.
        """
        keeper = threading.Thread(target=self._keep, name=f"edge-{type(self).__name__.lower()}", daemon=True)
        keeper.start()
        try:
            while not self._closing.rung:
                block = self._crossing.take(_POLL_SECONDS)
                if block is not None:
                    self._heard_at = self._clock()
                    self._condition.heard(block, reopened=self._crossing.reopened)
                    self._watch_stillness()
                elif self._error is not None:
                    raise self._error
                elif not keeper.is_alive() and not self._closing.rung:
                    raise RuntimeError(f"the thread {keeper.name} ended by itself")  # a bug; its traceback is on stderr
                self._say()
                yield block
        finally:
            self.close()
            # A device that hangs in its driver must not hang us: the thread is a daemon.
            keeper.join(_JOIN_SECONDS)

    def close(self) -> None:
        """Stop; the device is given back before `blocks` ends. Safe from a signal handler, and twice."""
        self._closing.ring()
        self._crossing.wake()

    def _keep(self) -> None:
        backoff = Backoff(self._settings.retry_seconds)
        while not self._closing.rung:
            began = self._busy_since = self._clock()
            offered = self._crossing.offered
            try:
                self._hear()
            except SettingsError as error:
                if self._crossing.offered == 0:  # at the start the owner's mistake; later, another device's nature
                    self._error = error
                    self._crossing.wake()
                    return
                self._trouble = str(error)
            except SourceError as error:
                self._lose(error)
            self._crossing.flush()
            self._busy_since = None
            ran = self._clock() - began if self._crossing.offered > offered else 0.0
            self._closing.wait(backoff.pause_seconds(ran))

    def _watch_stillness(self) -> None:
        if self._condition.trouble not in ("silent", "stuck"):
            self._still_since, self._reopen_seconds = None, REOPEN_SECONDS
        elif self._still_since is None:
            self._still_since = self._clock()
        elif self._clock() - self._still_since >= self._reopen_seconds:
            self._still_since, self._reopen_seconds = None, 2 * self._reopen_seconds
            self._opens_again = True

    def _check_stillness(self) -> None:
        """For `_hear`, now and then: raises SourceError where the device should be opened again."""
        if self._opens_again:
            self._opens_again = False
            raise SourceError(self.name, found="one value only: opening it again", wanted="sound")

    def _opened(self) -> None:
        """For `_hear`: sound has begun to flow."""
        self._stats.reopened += self._times_opened > 0
        self._times_opened += 1
        self._trouble = ""

    def _lose(self, error: SourceError) -> None:
        """The state from now on, until `_opened`."""
        self._trouble = f"{error.thing}: {error.found}"

    def _say(self) -> None:
        """One log line for each change, by the listener's thread."""
        state = self.state
        if state != self._said:
            self._said = state
            if state == "ok":
                _LOG.info("%s: heard", self.name)
            elif state != "opening":
                _LOG.warning("%s", state)
