"""Trial, self-check and return, on a board in memory whose power may go away between any two steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cli.updating.confirm import PATIENCE_SECONDS, confirm
from edge.cli.updating.install import newer, offer, refused, scheduled, take
from edge.cli.updating.show import lines, status
from edge.errors import UpdateError
from edge.settings import UpdateSettings
from tests.cli.update_board import TRIES, Content, MadeBoard, PowerCut, Restart

URL = "https://example.org/new.raucb"
AUTOMATIC = UpdateSettings(url=URL, hour=3)


def start(board: MadeBoard) -> bool:
    """Power on, and the self-check; whether the slot is proven then."""
    board.power_on()
    try:
        return confirm(board)
    except Restart:
        return False


def update(board: MadeBoard, content: Content) -> None:
    board.bundles[URL] = content
    take(board, URL, offer(board, URL), lambda line: None)


def settle(board: MadeBoard) -> None:
    """Starts without a power cut until a slot is proven."""
    for _ in range(2 * TRIES + 2):
        if start(board):
            return
    raise AssertionError("no slot is proven")


@pytest.fixture
def board() -> MadeBoard:
    board = MadeBoard(Content("1"))
    assert start(board) and board.note == ""
    return board


def test_a_version_that_works_is_kept(board: MadeBoard) -> None:
    update(board, Content("2"))
    assert board.booted == "A" and board.record.trial is not None and board.record.trial.installed
    assert status(board)["trial"] == {"slot": "B", "version": "2", "state": "waits for the next start", "starts": 0,
                                      "reason": ""}
    assert start(board) and (board.booted, board.content.version) == ("B", "2")
    assert board.record.proven == {"A": "1", "B": "2"} and board.record.trial is None and board.note == ""
    assert board.left["B"] == TRIES


@pytest.mark.parametrize("starts", [True, False])
def test_a_version_that_fails_comes_back_and_is_told(board: MadeBoard, starts: bool) -> None:
    """Whether its self-check fails or its kernel does not even come up."""
    update(board, Content("2", starts=starts, works=False))
    for _ in range(TRIES if starts else 0):
        assert not start(board) and board.booted == "B" and board.note == "version 2 is on trial"
        assert board.clock >= PATIENCE_SECONDS
    assert start(board) and board.booted == "A" and board.order == ["A", "B"]
    reason = "no service; no samples; no delegate; no broker" if starts else "it did not come up in three starts"
    assert board.note == f"version 2 was taken back: {reason}; version 1 runs"
    assert any("was taken back" in line for line in lines(status(board)))
    assert start(board) and "taken back" in board.note  # told until a version is kept
    assert refused(board.record, "2") and not refused(board.record, "3")
    assert "taken back" in scheduled(board, AUTOMATIC, print)
    update(board, Content("3"))
    assert start(board) and board.note == "" and board.record.failure is None


def test_a_proven_slot_is_marked_good_without_microphone_and_broker(board: MadeBoard) -> None:
    board.microphone = board.broker = False
    for _ in range(2 * TRIES):
        assert start(board) and board.booted == "A"


def test_only_what_worked_before_is_asked_of_a_new_version(board: MadeBoard) -> None:
    board.broker = False
    update(board, Content("2"))
    assert start(board) and board.content.version == "2"
    board.broker = True
    update(board, Content("3"))
    board.broker = False
    assert not start(board)


@pytest.mark.parametrize("steps", range(5))
def test_a_power_cut_while_a_slot_is_written_is_no_failure(board: MadeBoard, steps: int) -> None:
    """The timer tries again; nobody is told that the version does not work."""
    board.cut_after = steps
    with pytest.raises(PowerCut):
        update(board, Content("2"))
    board.cut_after = None
    assert start(board) and board.booted == "A" and board.note == "" and board.record.trial is None
    assert not refused(board.record, "2")
    update(board, Content("2"))
    assert start(board) and board.booted == "B"


def test_a_choice_that_the_boot_loader_never_saw_is_no_failure(board: MadeBoard) -> None:
    update(board, Content("2"))
    board.order, board.left = ["A", "B"], {"A": TRIES, "B": TRIES}
    assert start(board) and board.booted == "A" and board.note == "" and not refused(board.record, "2")


def test_a_self_check_before_the_restart_takes_nothing_back(board: MadeBoard) -> None:
    update(board, Content("2"))
    waiting = board.record
    assert confirm(board) and board.record == waiting and board.note == ""
    assert start(board) and board.booted == "B"


def test_a_version_on_trial_cannot_be_updated_away(board: MadeBoard) -> None:
    """The other slot is the way back."""
    update(board, Content("2", works=False))
    assert not start(board)
    with pytest.raises(UpdateError, match="on trial"):
        update(board, Content("3"))


def test_a_slot_that_somebody_wrote_by_hand_is_on_trial_too(board: MadeBoard) -> None:
    board.bundles[URL] = Content("2", works=False)
    board.install(URL, print)
    for _ in range(TRIES):
        assert not start(board) and board.booted == "B"
    assert start(board) and board.booted == "A" and "version 2 was taken back" in board.note


def test_a_proven_slot_that_stops_coming_up_is_told_and_may_be_installed_again(board: MadeBoard) -> None:
    update(board, Content("2"))
    assert start(board)
    board.slots["B"] = Content("2", starts=False)  # a card that forgets
    assert start(board) and board.booted == "A" and board.note.startswith("version 2 was taken back: it did not come up")
    board.bundles[URL] = Content("2")
    with pytest.raises(Restart):
        scheduled(board, AUTOMATIC, lambda line: None)
    assert start(board) and board.booted == "B" and board.note == ""


def test_the_timer_does_nothing_but_in_its_hour_and_waits_for_silence(board: MadeBoard) -> None:
    board.bundles[URL] = Content("2")
    assert scheduled(board, UpdateSettings(), print) == "" and scheduled(board, replace(AUTOMATIC, hour=4), print) == ""
    assert board.slots["B"] is None
    board.sounding = ("smoke_alarm",)
    assert "smoke_alarm sounds" in scheduled(board, AUTOMATIC, lambda line: None)
    assert board.slots["B"] == Content("2") and board.booted == "A"
    board.sounding, board.clock = (), 0.0
    del board.bundles[URL]  # nothing is looked at again: the restart alone is owed
    with pytest.raises(Restart):
        scheduled(board, AUTOMATIC, lambda line: None)
    assert start(board) and board.booted == "B"
    board.bundles[URL] = Content("2")
    assert "version 2 runs" in scheduled(board, AUTOMATIC, print)


def test_too_little_room_and_another_board_are_refused(board: MadeBoard) -> None:
    board.bundles[URL] = Content("2")
    board.room = 800
    with pytest.raises(UpdateError, match=r"found a root of .* wanted .* in slot B"):
        offer(board, URL)
    board.room = 1000
    assert newer(offer(board, URL))
    board.bundles[URL] = Content("1")
    assert not newer(offer(board, URL))
    board.bundles[URL] = Content("new")
    with pytest.raises(UpdateError, match="found the version 'new'"):
        offer(board, URL)


@dataclass(frozen=True)
class Act:
    """One life of the board: an update or none, and after how many steps the power goes away (None: it stays)."""

    update: Content | None
    cut_after: int | None
    microphone: bool


ACTS = st.builds(
    Act, st.none() | st.builds(lambda starts, works: (starts, works), st.booleans(), st.booleans()).map(
        lambda has: Content("", starts=has[0], works=has[0] and has[1])), st.none() | st.integers(0, 9), st.booleans())


@pytest.mark.big
@given(st.lists(ACTS, max_size=14))
def test_a_board_always_comes_up_and_never_keeps_what_does_not_work(acts: list[Act]) -> None:
    """Updates good and bad, a microphone that comes and goes, and power cuts between any two steps."""
    board = MadeBoard(Content("1"))
    settle(board)
    version = 1
    for act in acts:
        board.microphone = True
        board.cut_after = act.cut_after
        try:
            proven = start(board)
            board.microphone = act.microphone
            if act.update is not None and proven:
                version += 1
                update(board, replace(act.update, version=str(version)))
        except PowerCut:
            pass
        board.cut_after = None
        for slot, held in board.record.proven.items():
            content = board.slots[slot]
            assert content is not None and content.works and content.version == held
    board.microphone = True
    newest = board.slots[board.order[0]]
    settle(board)
    assert board.content.works and board.record.trial is None and board.record.serving == board.booted
    assert board.left[board.booted] == TRIES
    if newest is not None and newest.works and board.record.failure is None:
        assert board.content == newest
    settle(board)
    assert board.content.works
