"""What is said once something was learnt, beside a real watch socket: taken up, not named by the settings, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.workshop.taking_up import TAKEN_UP, TakenUp, take_up
from tests.workshop.test_workshop_running import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.sink.stop()


def test_it_is_taken_up_and_a_sound_that_the_settings_do_not_name_is_said(served: Served, tmp_path: Path) -> None:
    served.outcome = {"targets": ["hand_clap", "our_clap"]}
    taken = TakenUp(True, "the running appliance has taken it up")
    assert take_up(tmp_path) == take_up(tmp_path, "our_clap") == taken
    told = take_up(tmp_path, "kettle")
    assert told.reloaded and told.words.endswith('but its settings name other sounds (add [[target]] name = "kettle")')


def test_a_reload_that_is_refused_is_said_and_is_no_failure(served: Served, tmp_path: Path) -> None:
    served.outcome = SettingsError("[[target]] name", found="'moo'", wanted="a sound of the model")
    told = take_up(tmp_path, "our_clap")
    assert not told.reloaded and "'moo'" in told.words
    assert told.words.startswith("the change is kept, but the running appliance does not take it up: ")


def test_without_an_appliance_it_is_said_how_one_takes_it_up(tmp_path: Path) -> None:
    assert take_up(tmp_path, "our_clap") == TakenUp(False, TAKEN_UP)
