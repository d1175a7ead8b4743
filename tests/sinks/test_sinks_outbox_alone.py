"""The outbox, without a broker and without a disk."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from edge.sinks.messages import Dropped, Message
from edge.sinks.outbox import Outbox
from edge.stats import Stats


def message(sequence: int, body: str = "{}") -> Message:
    return Message(sequence, "clap", "start", body)


def outbox(messages: int = 10, size: int = 1_000_000, stats: Stats | None = None) -> Outbox:
    return Outbox(messages=messages, size=size, stats=stats or Stats())


def offer(box: Outbox, numbers: Sequence[int], *, saved: bool = True) -> None:
    box.offer([message(number) for number in numbers], saved=saved)


def taken(box: Outbox) -> list[int | tuple[int, int]]:
    found: list[int | tuple[int, int]] = []
    while (one := box.take()) is not None:
        found.append(one.sequence if isinstance(one, Message) else (one.first, one.last))
    return found


def test_what_is_offered_is_taken_in_order_and_comes_again_until_it_is_acknowledged() -> None:
    box = outbox()
    offer(box, [1, 2, 3, 4])
    assert taken(box) == [1, 2, 3, 4] and len(box) == 4 and not box.finished
    box.acknowledge(message(2))
    box.give_back()
    offer(box, [5])
    assert taken(box) == [1, 3, 4, 5]
    for number in (1, 3, 4, 5):
        box.acknowledge(message(number))
    assert len(box) == 0 and box.finished and box.changes().gone == (1, 2, 3, 4, 5) and box.oldest == 6


def test_the_oldest_go_first_and_are_told_as_one_range() -> None:
    stats = Stats()
    box = outbox(3, stats=stats)
    offer(box, range(1, 8))
    assert stats.dropped_events == 4
    assert taken(box) == [(1, 4), 5, 6, 7] and not box.finished
    box.acknowledge(Dropped(1, 4))
    assert box.changes().dropped == () and box.changes().gone == (1, 2, 3, 4)


def test_bytes_are_bounded_too() -> None:
    stats = Stats()
    box = outbox(1000, 50_000, stats)
    for number in range(1, 101):
        box.offer([message(number, "x" * 1_000)], saved=True)
    assert 40_000 < sum(one.size for one in box.messages(unsaved=False)) <= 50_000
    assert stats.dropped_events + len(box) == 100


def test_a_range_that_grows_while_it_is_on_its_way_is_told_in_two() -> None:
    box = outbox(2)
    offer(box, [1, 2, 3])
    assert box.take() == Dropped(1, 1)
    offer(box, [4])
    box.acknowledge(Dropped(1, 1))
    assert taken(box) == [(2, 2), 3, 4]


def test_what_is_on_its_way_is_not_dropped() -> None:
    box = outbox(2)
    offer(box, [1, 2])
    assert taken(box) == [1, 2]
    offer(box, [3, 4, 5])
    assert len(box) == 2 and taken(box) == [(3, 5)]
    box.give_back()
    assert taken(box) == [(3, 5), 1, 2]


def test_what_the_broker_refuses_lets_the_others_pass_and_is_tried_again() -> None:
    box = outbox()
    offer(box, [1, 2])
    assert box.take() == message(1)
    box.refuse(message(1))
    assert taken(box) == [2] and len(box) == 2 and not box.finished
    box.acknowledge(message(2))
    assert box.take() is None
    box.forgive()
    assert taken(box) == [1]


def test_what_is_refused_is_bounded() -> None:
    box = outbox(5)
    for number in range(1, 100):
        offer(box, [number])
        one = box.take()
        while isinstance(one, Dropped):
            box.acknowledge(one)
            one = box.take()
        assert one is not None
        box.refuse(one)
        assert len(box) <= 6


def test_the_file_learns_what_is_gone_once() -> None:
    box = outbox()
    offer(box, [1, 2, 3])
    taken(box)
    box.acknowledge(message(1))
    changes = box.changes()
    box.acknowledge(message(2))
    box.written(changes, [])
    assert box.changes().gone == (2,) and box.changes().newest == 3


def test_what_is_in_memory_only_is_written_later_and_forgotten_if_it_was_acknowledged_meanwhile() -> None:
    box = outbox()
    offer(box, [1, 2, 3], saved=False)
    taken(box)
    assert box.unsaved == 3
    box.acknowledge(message(1))  # the file never had it, and need not forget it
    assert box.changes().gone == () and box.unsaved == 2
    changes, unsaved = box.changes(), box.messages(unsaved=True)
    assert [one.sequence for one in unsaved] == [2, 3]
    box.acknowledge(message(2))  # while it is being written
    box.written(changes, unsaved)
    assert box.unsaved == 0 and box.changes().gone == (2,)


def test_what_a_file_held_comes_before_what_is_new() -> None:
    box = outbox()
    offer(box, [8, 9])
    box.restore([message(3), message(4)], [Dropped(1, 2), Dropped(5, 7)], newest=4, saved=True)
    assert box.oldest == 1 and taken(box) == [(1, 2), (5, 7), 3, 4, 8, 9] and box.newest == 9


def test_news_are_told_to_whoever_sends_and_what_is_gone_to_whoever_writes() -> None:
    box, told = outbox(), []
    box.on_news = lambda: told.append("news")
    box.on_gone = lambda: told.append("gone")
    offer(box, [1])
    box.take()
    box.acknowledge(message(1))
    assert told == ["news", "gone"]


@given(st.lists(st.sampled_from(["offer", "unsaved", "take", "acknowledge", "lose", "refuse", "forgive", "drop", "write"])),
       st.integers(1, 5))
def test_every_number_is_acknowledged_held_or_told_as_dropped(steps: list[str], limit: int) -> None:
    box = outbox(limit)
    number, on_its_way, arrived, told, kept = 0, [], set(), set(), set()
    for step in steps:
        if step in ("offer", "unsaved", "drop"):
            number += 1
            if step == "drop":
                box.drop(number, number)
            else:
                offer(box, [number], saved=step == "offer")
                kept |= {number} if step == "offer" else set()
        elif step == "take" and (one := box.take()) is not None:
            on_its_way.append(one)
        elif step in ("acknowledge", "refuse") and on_its_way:
            one = on_its_way.pop(0)
            if step == "refuse":
                box.refuse(one)
            else:
                box.acknowledge(one)
                arrived |= {one.sequence} if isinstance(one, Message) else set()
                told |= set(range(one.first, one.last + 1)) if isinstance(one, Dropped) else set()
        elif step == "lose":
            box.give_back()
            on_its_way.clear()
        elif step == "forgive":
            box.forgive()
        elif step == "write":
            changes, unsaved = box.changes(), box.messages(unsaved=True)
            kept = (kept - set(changes.gone)) | {one.sequence for one in unsaved}
            box.written(changes, unsaved)
        held = {one.sequence for one in box.messages(unsaved=False)}
        dropped = {each for one in box.changes().dropped for each in range(one.first, one.last + 1)}
        assert held | arrived | told | dropped == set(range(1, number + 1))
        assert not held & dropped and len(box) <= limit + len(on_its_way)
        assert {one.sequence for one in box.messages(unsaved=True)} == held - kept


def test_the_oldest_is_found_wherever_it_is() -> None:
    box = outbox()
    offer(box, [1, 2, 3, 4])
    assert box.oldest == 1
    for number in (1, 2, 3):
        assert box.take() == message(number)
    box.refuse(message(1))
    box.acknowledge(message(2))
    assert box.oldest == 1
    box.forgive()
    box.acknowledge(message(3))
    assert box.oldest == 1 and taken(box) == [1, 4]
    box.acknowledge(message(1))
    assert box.oldest == 4
    box.drop(2, 3)
    assert box.oldest == 2
