"""What owners call a sound leads to what serves: a label of this model, YAMNet, or a lesson."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from edge.control.loading import model_folder
from edge.control.plan import plan_for
from edge.decision.resolve import ask
from edge.decision.wishes import WISHES, what_serves
from edge.errors import SettingsError
from edge.model.manifest_file import load_manifest
from edge.settings import TargetSettings


@pytest.fixture
def starter(tmp_path: Path) -> tuple[str, ...]:
    return load_manifest(model_folder("starter", tmp_path)).labels


@pytest.fixture(scope="module")
def published(yamnet_file: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(yamnet_file) as archive:
        return tuple(archive.read("yamnet_label_list.txt").decode().splitlines())


def test_every_label_of_the_table_is_one_of_its_model(starter: tuple[str, ...], published: tuple[str, ...]) -> None:
    assert {label for wish in WISHES for label in wish.starter} <= set(starter)
    assert {label for wish in WISHES for label in wish.yamnet} <= set(published)


def test_a_name_is_in_the_table_once_and_leads_to_something() -> None:
    names = [name for wish in WISHES for name in wish.names]
    assert len(names) == len(set(names)) and all(re.fullmatch("[a-z_]+", name) for name in names)
    assert all(wish.starter or wish.yamnet for wish in WISHES)


@pytest.mark.parametrize(("name", "told"), [
    ("fire_alarm", ('; what serves: name = "smoke_alarm", which any model hears by its rhythm; or labels = ["alarm_beep"]; '
                    'or [model] name = "yamnet", which has Smoke detector, smoke alarm and Fire alarm (edge-audio model '
                    "install yamnet); or edge-audio teach fire_alarm RECORDINGS...")),
    ("Smoke-Alarm", 'what serves: name = "smoke_alarm", which any model hears by its rhythm; or labels = ["alarm_beep"]'),
    ("carbon_monoxide", 'what serves: name = "co_alarm", which any model hears by its rhythm; or'),
    ("doorbell", ('what serves: [model] name = "yamnet", which has Doorbell and Ding-dong (edge-audio model install '
                  "yamnet); or edge-audio teach doorbell RECORDINGS...")),
    ("clap", 'what serves: labels = ["hand_clap"]; or'),
    ("dore_knock", "nearest: door_knock; what serves: edge-audio teach dore_knock RECORDINGS..."),
    ("kettle", "labels of the model; what serves: edge-audio teach kettle RECORDINGS..."),
])
def test_a_target_that_the_starter_lacks_is_told_with_what_serves(starter: tuple[str, ...], name: str, told: str) -> None:
    """A name that no model had once ended in `found none, and the model suggests none`, and nothing said how to have it."""
    with pytest.raises(SettingsError) as caught:
        ask((TargetSettings(name=name),), starter, ())
    assert str(caught.value).startswith(f"[[target]] {name} labels: found none") and told in str(caught.value)


def test_of_yamnet_its_own_labels_are_named_and_no_other_model(published: tuple[str, ...]) -> None:
    told = what_serves("smoke_alarm", published)
    assert 'labels = ["Smoke detector, smoke alarm", "Fire alarm"]' in told and "install" not in told


def test_what_the_error_names_can_be_set(tmp_path: Path) -> None:
    from edge.control.loading import load_model
    settings = (TargetSettings(name="smoke_alarm", labels=("alarm_beep",)),)
    assert plan_for(load_model("starter", state_dir=tmp_path), settings).targets.names == ("smoke_alarm",)
