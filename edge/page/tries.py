"""How often a password may be tried: by one address, and by all together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

OF_ONE, OF_ALL = 5, 30
"""Wrong passwords within WINDOW_SECONDS."""
WINDOW_SECONDS = 60.0


class Tries:
    """Counts wrong passwords. Bounded: no more than OF_ALL are remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds; tests bring their own."""
        self._clock = clock
        self._wrong: deque[tuple[float, str]] = deque(maxlen=OF_ALL)

    def begun(self, address: str) -> float:
        """Note a try of this address, which counts as wrong until `right`: 0, or the seconds that it must wait instead."""
        now = self._clock()
        while self._wrong and now - self._wrong[0][0] >= WINDOW_SECONDS:
            self._wrong.popleft()
        mine = [at for at, other in self._wrong if other == address]
        everybody = [at for at, _ in self._wrong]
        waits = [WINDOW_SECONDS - (now - times[0]) for times, most in ((mine, OF_ONE), (everybody, OF_ALL))
                 if len(times) >= most]
        if waits:
            return max(waits)
        self._wrong.append((now, address))
        return 0.0

    def right(self, address: str) -> None:
        """The password was right: the tries of this address no longer count."""
        self._wrong = deque((each for each in self._wrong if each[1] != address), maxlen=OF_ALL)
