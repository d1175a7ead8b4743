"""A doorbell wakes who polls it, however often it is rung, and harms nobody once it is closed."""

from __future__ import annotations

import select
import threading

from edge.sinks.mqtt.doorbell import Doorbell


def rung(bell: Doorbell, seconds: float = 0.0) -> bool:
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def test_a_ring_wakes_a_poll_until_it_is_answered() -> None:
    bell = Doorbell()
    bell.answer()  # nobody has rung: returns all the same
    assert not rung(bell)
    ringer = threading.Timer(0.05, bell.ring)
    ringer.start()
    assert rung(bell, 60.0)
    ringer.join()
    bell.ring()
    bell.answer()
    assert not rung(bell)
    bell.ring()
    assert rung(bell)
    bell.close()


def test_more_rings_than_it_holds_are_one_ring() -> None:
    bell = Doorbell()
    for _ in range(100_000):
        bell.ring()
    assert rung(bell)
    while rung(bell):
        bell.answer()
    bell.close()


def test_a_ring_after_the_end_is_no_error() -> None:
    bell = Doorbell()
    bell.close()
    bell.close()
    bell.ring()
