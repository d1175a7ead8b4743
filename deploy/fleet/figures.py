"""What a simulation comes to, as figures that are printed."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.fleet.check import Verdict
from deploy.fleet.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over all boards, seconds, and what the check found (None without it)."""

    fleet: Fleet
    seconds: float
    cpu_seconds: float
    verdict: Verdict | None = None

    @property
    def good(self) -> bool:
        """Whether the broker has every message, and the subscriber too where there was one."""
        undelivered = sum(len(board.outbox) + board.stats.dropped_events for board in self.fleet.boards)
        return undelivered == 0 and (self.verdict is None or self.verdict.lost == 0)

    def rows(self) -> dict[str, object]:
        """Name and value of each figure. A message is the start or the end of an event."""
        boards = self.fleet.boards
        rows: dict[str, object] = {
            "boards": len(boards),
            "seconds": round(self.seconds, 1),
            "events": sum(len(set(board.made)) for board in boards),
            "messages_made": sum(len(board.made) for board in boards),
            "messages_acknowledged": sum(board.outbox.acknowledged for board in boards),
            "messages_waiting": sum(len(board.outbox) for board in boards),
            "messages_dropped": sum(board.stats.dropped_events for board in boards),
            "messages_refused": sum(board.outbox.refused for board in boards),
            "messages_resent": sum(board.outbox.resent for board in boards),
            "reconnections": sum(board.reconnections for board in boards),
            "longest_delay_seconds": round(max(board.outbox.longest_delay_seconds for board in boards), 3),
            "cpu_seconds": round(self.cpu_seconds, 1),
        }
        if self.verdict is not None:
            rows |= {"received": self.verdict.received, "lost": self.verdict.lost,
                     "duplicates": self.verdict.duplicates, "out_of_order": self.verdict.out_of_order,
                     "strangers": self.verdict.strangers, "subscriber_reconnections": self.verdict.reconnections}
        for reason, count in self.fleet.reasons.most_common(5):
            rows[f"away: {reason}"] = count
        return rows
