"""A sink's one thread and its one bounded queue: whoever gives the sink work never waits for a device.

The sinks whose thread waits for a socket (`mqtt/`, `watching/`) have a thread of their own: it waits in a
poll.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from edge.errors import SinkError

Item = TypeVar("Item")


class Worker(Generic[Item]):
    """Calls `step`, in a thread of its own, with the items that have come since the last call, oldest first.

    `step` is called when items have come and when `due` says so. After `stop` it is called once more, with
    the items that still wait.
    """

    def __init__(self, name: str, step: Callable[[list[Item]], None], *, most: int, at_once: int | None = None,
                 gather_seconds: float = 0.0, due: Callable[[], float | None] = lambda: None,
                 open: Callable[[], None] = lambda: None, close: Callable[[], None] = lambda: None) -> None:
        """name: of the thread, the sink's own name. most: items that may wait. at_once: items of one step;
        None: all.

        gather_seconds: how long items are gathered into one step where more than one waits; a single item is taken at
        once. due: seconds until `step` is to be called though no item came; None: not before one comes.
        open: called by `start`, before the thread begins. close: called in the thread when it ends, even by an
        error.
        """
        self._name, self._step = name, step
        self._most, self._at_once = most, at_once
        self._gather_seconds, self._due = gather_seconds, due
        self._open, self._close = open, close
        self._items: deque[Item] = deque()
        self._wake = threading.Condition()
        self._since: float | None = None
        self.stopping = False
        self.thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Items that wait for the next step."""
        return len(self._items)

    @property
    def busy_seconds(self) -> float:
        """How long the step that runs now has taken so far; 0.0 between two steps."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def running(self) -> bool:
        """Whether the thread was started, and not stopped."""
        return self.thread is not None and not self.stopping

    @property
    def ended(self) -> bool:
        """Whether the thread ended without `stop`: by an error."""
        return self.thread is not None and not self.stopping and not self.thread.is_alive()

    def start(self) -> None:
        """Open the device and start the thread. Raises what `open` raises.

        Raises SinkError, before anything is opened, where the last run's thread is stuck in its last step:
        the device is still that thread's.
        """
        if self.thread is not None and self.thread.is_alive():
            raise SinkError(self._name, found="a thread that has not come back from its device", wanted="an answer to it")
        self._open()
        self.stopping = False
        self.thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self.thread.start()

    def put(self, item: Item) -> Item | None:
        """Queue an item for the next step. Returns the oldest item where it had to be dropped for want of
        room."""
        with self._wake:
            self._items.append(item)
            dropped = self._items.popleft() if len(self._items) > self._most else None
            self._wake.notify_all()
        return dropped

    def wake(self) -> None:
        """Have `due` asked again: its answer has changed."""
        with self._wake:
            self._wake.notify_all()

    def pause(self, seconds: float) -> None:
        """For `step`: wait so long, or until `stop` is called."""
        with self._wake:
            self._wake.wait_for(lambda: self.stopping, seconds)

    def stop(self, seconds: float) -> bool:
        """Have the last step made. Returns False where the thread has not ended after `seconds`. Safe twice,
        and before `start`."""
        with self._wake:
            self.stopping = True
            self._wake.notify_all()
        if self.thread is None:
            return True
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def _run(self) -> None:
        try:
            while True:
                items, last = self._take()
                self._since = time.monotonic()
                self._step(items)
                self._since = None
                if last:
                    break
        finally:
            self._since = None
            self._close()

    def _take(self) -> tuple[list[Item], bool]:
        """Wait for work: the items, and whether this is the last step."""
        with self._wake:
            while not (self._items or self.stopping) and (due := self._due()) != 0.0:
                self._wake.wait(due)
            if len(self._items) > 1:
                self._wake.wait_for(lambda: self.stopping, self._gather_seconds)
            items = [self._items.popleft() for _ in range(min(len(self._items), self._at_once or len(self._items)))]
            return items, self.stopping and not self._items
