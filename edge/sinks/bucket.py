"""A limit on how often something may happen."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """A token bucket: `burst` times at once, then `per_second` times a second."""

    def __init__(self, burst: int, per_second: float, monotonic: Callable[[], float]) -> None:
        self._burst, self._per_second = burst, per_second
        self._monotonic = monotonic
        self._tokens, self._at = float(burst), monotonic()

    def take(self) -> bool:
        """Whether one more may pass now."""
        now = self._monotonic()
        self._tokens = min(self._tokens + (now - self._at) * self._per_second, self._burst)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
