"""The outbox: messages that the broker has not acknowledged yet. Pure but for a lock.

A message stays in memory until the broker has acknowledged it. The journal's writer keeps a copy of each on
the disk, so that the next run finds what this one could not deliver. Messages and bytes are bounded: the
oldest are dropped first, and told as ranges of sequence numbers, so that a subscriber knows that nothing else
is missing.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edge.sinks.messages import Dropped, Message
from edge.stats import Stats


@dataclass(frozen=True, slots=True)
class Changes:
    """What the file on the disk has to learn. gone: sequence numbers to forget; dropped: all ranges that are
    not told yet; newest: the highest number that was ever used."""

    gone: tuple[int, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    newest: int = 0


class Outbox:
    """The journal's writer offers messages; whoever talks to the broker takes and acknowledges them."""

    def __init__(self, *, messages: int, size: int, stats: Stats) -> None:
        """messages, size: how many messages may be held, and their bytes; stats: counts those dropped."""
        self._most, self._largest = messages, size
        self._stats = stats
        self._lock = threading.Lock()
        self._held: dict[int, Message] = {}
        # Each number in `_held` is in one of these three. A plain dict would be slow in giving its first key.
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._refused: OrderedDict[int, None] = OrderedDict()
        self._taken: set[int] = set()
        self._unsaved: set[int] = set()
        self._gone: set[int] = set()
        self._dropped: list[Dropped] = []
        self._dropped_taken: list[Dropped] = []
        self._size = self._expected = 0
        self.newest = 0
        """The highest number that was offered."""
        self.on_news: Callable[[], None] = lambda: None
        """Called after messages were offered, in the thread that offered them; must return at once."""
        self.on_gone: Callable[[], None] = lambda: None
        """Called after a message was acknowledged, in that thread; must return at once."""

    def __len__(self) -> int:
        """How many messages the broker has not acknowledged."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """Of those, how many are not on their way."""
        return len(self._held) - len(self._taken)

    @property
    def unsaved(self) -> int:
        """Of those, how many are in memory only, because the disk fails."""
        return len(self._unsaved)

    @property
    def oldest(self) -> int:
        """The lowest number that is not acknowledged; the next one where all are."""
        with self._lock:
            held = [*itertools.islice(self._waiting, 1), *self._taken, *self._refused]
            return min([*held, *(each.first for each in self._dropped + self._dropped_taken)], default=self.newest + 1)

    @property
    def finished(self) -> bool:
        """Whether all that is expected was offered and acknowledged."""
        with self._lock:
            return not (self._held or self._dropped or self._dropped_taken or self.newest < self._expected)

    def expect(self, sequence: int) -> None:
        """Say that a message of this number will be offered."""
        self._expected = sequence

    def restore(self, messages: Sequence[Message], dropped: Iterable[Dropped], *, newest: int, saved: bool) -> None:
        """Put a file's messages in front. newest: the highest number the file knows; saved: it keeps them."""
        with self._lock:
            if not saved:
                self._unsaved.update(message.sequence for message in messages)
            old = {message.sequence: message for message in messages}
            self._held = old | self._held
            self._wait(old.keys())
            for each in dropped:
                self._add_dropped(each)
            self.newest = max(self.newest, newest)
            self._size = sum(message.size for message in self._held.values())
            self._trim()
        self.on_news()

    def compare(self, sequences: Iterable[int]) -> None:
        """Learn which messages a file holds that was opened again, or that is another one."""
        with self._lock:
            held, found = set(self._held), set(sequences)
            self._unsaved, self._gone = held - found, found - held

    def offer(self, messages: Sequence[Message], *, saved: bool) -> None:
        """Add the newest messages, in order; saved: they are on the disk."""
        with self._lock:
            for message in messages:
                self._held[message.sequence] = message
                self._waiting[message.sequence] = None
                self._size += message.size
                self.newest = max(self.newest, message.sequence)
                if not saved:
                    self._unsaved.add(message.sequence)
            self._trim()
        self.on_news()

    def drop(self, first: int, last: int) -> None:
        """Say that the messages with the numbers `first` to `last`, ends included, will never be offered."""
        with self._lock:
            self._add_dropped(Dropped(first, last))
        self.on_news()

    def take(self) -> Message | Dropped | None:
        """The next to send: first what was dropped, then the oldest message; None where nothing waits.

        The taker has it until he acknowledges, refuses or gives back.
        """
        with self._lock:
            if self._dropped:
                self._dropped_taken.append(self._dropped.pop(0))
                return self._dropped_taken[-1]
            if not self._waiting:
                return None
            sequence, _ = self._waiting.popitem(last=False)
            self._taken.add(sequence)
            return self._held[sequence]

    def acknowledge(self, taken: Message | Dropped) -> None:
        """The broker has taken this message, or this range of dropped ones."""
        with self._lock:
            if isinstance(taken, Dropped):
                self._dropped_taken = [each for each in self._dropped_taken if each != taken]
            elif taken.sequence in self._taken:
                self._taken.remove(taken.sequence)
                self._forget(taken.sequence)
        self.on_gone()

    def refuse(self, taken: Message | Dropped) -> None:
        """The broker refused this message. It waits aside until `forgive` or `give_back`."""
        with self._lock:
            if isinstance(taken, Message) and taken.sequence in self._taken:
                self._taken.remove(taken.sequence)
                self._refused[taken.sequence] = None
                self._trim()  # a refused range waits for the next connection

    def forgive(self) -> None:
        """Send refused messages again."""
        with self._lock:
            self._wait(self._refused)
            self._refused.clear()

    def give_back(self) -> None:
        """The connection is lost: all that was taken waits again, oldest first."""
        with self._lock:
            self._wait(self._held)
            self._refused.clear()
            self._taken.clear()
            taken, self._dropped_taken = self._dropped_taken, []
            for each in taken:
                self._add_dropped(each)
            self._trim()

    def messages(self, *, unsaved: bool) -> list[Message]:
        """Messages that are not acknowledged, oldest first; with `unsaved` those that are not on the disk."""
        with self._lock:
            return [self._held[number] for number in sorted(self._unsaved if unsaved else self._held)]

    def changes(self) -> Changes:
        """What the file has to learn now; `written` confirms that it has."""
        with self._lock:
            return Changes(tuple(sorted(self._gone)), tuple(sorted(self._dropped + self._dropped_taken)), self.newest)

    def written(self, changes: Changes, messages: Iterable[Message]) -> None:
        """The file has learnt these changes, and holds these messages."""
        with self._lock:
            self._gone.difference_update(changes.gone)
            for message in messages:
                self._unsaved.discard(message.sequence)
                if message.sequence not in self._held:
                    self._gone.add(message.sequence)  # acknowledged while it was written

    def _wait(self, more: Iterable[int]) -> None:
        """Let these numbers wait among the others, in order."""
        self._waiting = OrderedDict.fromkeys(sorted({*self._waiting, *more}))

    def _forget(self, sequence: int) -> None:
        self._size -= self._held.pop(sequence).size
        if sequence in self._unsaved:
            self._unsaved.remove(sequence)
        else:
            self._gone.add(sequence)

    def _trim(self) -> None:
        """Drop the oldest messages over the bounds, but none that is on its way."""
        while (queue := self._refused or self._waiting) and (len(self) > self._most or self._size > self._largest):
            sequence, _ = queue.popitem(last=False)
            self._forget(sequence)
            self._add_dropped(Dropped(sequence, sequence))
            self._stats.dropped_events += 1

    def _add_dropped(self, new: Dropped) -> None:
        """Add a range to those that wait, joined with the ranges that touch it."""
        first, last = new.first, new.last
        apart = []
        for each in self._dropped:
            if each.last + 1 < first or last + 1 < each.first:
                apart.append(each)
            else:
                first, last = min(first, each.first), max(last, each.last)
        self._dropped = sorted([*apart, Dropped(first, last)])
