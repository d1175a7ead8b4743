"""The account of a fault: what was made, what came, and what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Key = tuple[str, str]
"""A message: its event's id, and the phase."""


@dataclass(frozen=True)
class Account:
    """Counts of messages; an event has two, its start and its end.

    made: committed to the journal, or received though it never was, while a disk failed.
    received: by the subscriber, once at least.
    lost: made, and neither acknowledged by the broker, nor received, nor told on `dropped`.
    told: heard, did not come, but their sequence numbers are told on `dropped`; told_numbers: all such numbers, most of
    which were never used.
    duplicated: came again, with the same id.
    two_ids: sequence numbers that came with two ids.
    holes: numbers that neither came nor were told.
    early: received, though no journal held it (only while a disk failed).
    broker_lost: acknowledged by a broker that then was killed before its subscriber had it.
    delay_seconds: the longest from what was heard to what was received.
    """

    fault: str
    times: int
    made: int
    received: int
    lost: int
    told: int
    told_numbers: int
    duplicated: int
    two_ids: int
    holes: int
    early: int
    broker_lost: int
    delay_seconds: float
    excused: str = ""
    """Why what is lost here counts for no failure; empty: it does."""

    @property
    def failed(self) -> bool:
        """Whether anything was lost, or cannot be proven."""
        return not self.excused and bool(self.lost or self.two_ids or self.holes)


def key_of(payload: Mapping[str, Any]) -> Key:
    """Which message a payload is."""
    return payload["id"], payload["phase"]


def account(fault: str, times: int, *, heard: Iterable[Mapping[str, Any]], made: Iterable[Key],
            received: Iterable[tuple[Mapping[str, Any], float]], taken: Iterable[Mapping[str, Any]],
            told: Iterable[tuple[int, int]], excused: str = "") -> Account:
    """heard: what the listener gave to the sinks; received: with when (seconds since 1970); taken: what the broker
    acknowledged on the wire; told: ranges of numbers."""
    came, answers = list(received), list(taken)
    received_keys = {key_of(payload) for payload, _ in came}
    taken_events = [payload for payload in answers if "id" in payload]
    taken_keys = {key_of(payload) for payload in taken_events}
    ranges = _joined([*told, *((payload["first"], payload["last"]) for payload in answers if "id" not in payload)])
    numbers: dict[int, set[Key]] = {}
    for payload in [*(payload for payload, _ in came), *taken_events]:
        numbers.setdefault(payload["sequence"], set()).add(key_of(payload))
    missing = set(made) - received_keys - taken_keys
    told_keys = {key_of(payload) for payload in heard if _covered(payload["sequence"], ranges)} - received_keys - taken_keys
    told_numbers = sum(last - first + 1 for first, last in ranges)
    newest = max(numbers, default=0)
    accounted = _joined([*ranges, *((number, number) for number in numbers)])
    return Account(
        fault, times, made=len(set(made) | received_keys), received=len(received_keys), lost=len(missing - told_keys),
        told=len(told_keys), told_numbers=told_numbers - sum(_covered(number, ranges) for number in numbers),
        duplicated=len(came) - len(received_keys), two_ids=sum(len(keys) > 1 for keys in numbers.values()),
        holes=newest - sum(min(last, newest) - first + 1 for first, last in accounted if first <= newest),
        early=len(received_keys - set(made)), broker_lost=len(taken_keys - received_keys),
        delay_seconds=max((at - _seconds(payload) for payload, at in came), default=0.0), excused=excused)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in ranges that do not touch, in order."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _covered(number: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _seconds(payload: Mapping[str, Any]) -> float:
    """When it was heard, in seconds since 1970."""
    return datetime.fromisoformat(payload["ended_at"] or payload["started_at"]).timestamp()
