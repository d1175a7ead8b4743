"""Reload: what was taught, calibrated, judged and set since is heard, from one block to the next, whole or not at all."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.control.changes import Change
from edge.control.loading import model_folder
from edge.errors import SettingsError
from edge.model.calibration_file import own_path, shipped_path
from edge.model.classifier import Split
from edge.model.foreseen import Foreseen
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtSound
from edge.model.taught_file import save_taught
from edge.settings import PinSettings, Settings, TargetSettings
from edge.sinks.journal.entries import FILE, recent
from edge.workshop.feedback import take_in
from tests.control.commanding import PATIENCE_SECONDS, Owner, Running, await_

pytestmark = pytest.mark.big

Start = Callable[..., Running]
BY_PATCHES = TargetSettings(name="hand_clap", labels=("hand_clap",))
"""A clap that no look decides, as before there were any."""
BOTH = (TargetSettings(name="hand_clap"), TargetSettings(name="anything", louder_db=14.0))


def reload(running: Running, **parts: object) -> None:
    """Other settings in the file, and SIGHUP's own call; returns when the worker has looked."""
    settings = replace(running.appliance.steering.serving.settings, **parts)  # type: ignore[arg-type]
    looked = threading.Event()

    def read() -> Settings:
        looked.set()
        return settings

    running.read_settings = read
    running.appliance.steering.inbox.reload()
    assert looked.wait(PATIENCE_SECONDS)


def names(running: Running) -> tuple[str, ...]:
    return running.appliance.listener.targets.names


def teach(state_dir: Path, name: str) -> None:
    """A sound like the starter's claps, put in as `teach` puts it."""
    manifest = load_manifest(model_folder("starter", state_dir))
    assert manifest.head is not None
    columns = manifest.head.columns
    sound = TaughtSound(
        name=name, row=np.zeros(columns, np.float32), bias=-9.0, scale=1.0, offset=0.0, threshold=0.9, release_threshold=0.5,
        impulsive=False, cells=np.zeros((1, columns), np.int8), clip=np.zeros(1, np.uint8), kind=np.zeros(1, np.uint8),
        budget_per_hour=2.0, foreseen=Foreseen(1, 1, 0.0, 1.0), taught_at="2026-11-22T12:00:00+00:00")
    save_taught(state_dir, Taught.nothing(manifest).with_sound(sound, f"taught {name}"))


def test_targets_come_and_go_with_their_states(start: Start, owner: Owner, caplog: pytest.LogCaptureFixture) -> None:
    running = start()
    running.hears_on()
    with caplog.at_level("INFO"):
        reload(running, target=BOTH)
        await_(lambda: "reload: hearing hand_clap, anything" in caplog.messages)
    owner.wait_for(lambda: owner.last("state/anything"))
    owner.wait_for(lambda: owner.last("event/anything"))
    owner.wait_for(lambda: "anything" in str(owner.last("homeassistant/device/edge-audio_kitchen/config")))
    running.hears_on()
    reload(running, target=BOTH[1:])
    await_(lambda: names(running) == ("anything",))
    owner.wait_for(lambda: owner.last("state/hand_clap") == "")
    owner.wait_for(lambda: "hand_clap" not in str(owner.last("homeassistant/device/edge-audio_kitchen/config")))
    known = len(running.sink.events)
    await_(lambda: len(running.sink.events) > known + 4)
    assert {event.target for event in running.sink.events[known:]} == {"anything"}
    phases = [(event.id, event.phase) for event in running.sink.events[: known // 2 * 2]]
    assert all(phases.count((id_, "start")) == 1 for id_, _ in phases)
    assert owner.last("status") == "online" and [topic for topic, *_ in owner.messages].count("status") >= 1


def test_what_was_taught_is_heard(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    running = start(target=(BY_PATCHES,))
    running.hears_on()
    labels = running.appliance.steering.serving.model.labels
    teach(tmp_path, "kettle")
    reload(running, target=(BY_PATCHES, TargetSettings(name="kettle")))
    await_(lambda: names(running) == ("hand_clap", "kettle"))
    assert running.appliance.steering.serving.model.labels == (*labels, "kettle")
    running.hears_on()
    await_(lambda: recent(tmp_path / FILE, 1)[0].labels == (*labels, "kettle"), "the journal knows whose logits it keeps")


def test_what_was_judged_of_a_look_by_another_process_is_heard(start: Start, owner: Owner, tmp_path: Path) -> None:
    running = start()
    running.hears_on()
    owner.wait_for(lambda: owner.last("event/hand_clap"))
    settings = running.appliance.steering.serving.settings
    take_in(settings, tmp_path, recent(tmp_path / FILE, 1)[0].id, right=False)
    reload(running)
    await_(lambda: running.appliance.listener.targets.sounds[0].correction is not None)
    correction = running.appliance.listener.targets.sounds[0].correction
    assert correction is not None and correction.weights.shape[1] == 128
    running.hears_on()


def test_what_was_judged_and_calibrated_by_another_process_is_heard(start: Start, owner: Owner, tmp_path: Path) -> None:
    """As `edge-audio feedback` and `edge-audio calibrate` leave it."""
    running = start(target=(BY_PATCHES,))
    running.hears_on()
    owner.wait_for(lambda: owner.last("event/hand_clap"))  # what is sent is in the journal
    settings = running.appliance.steering.serving.settings
    take_in(settings, tmp_path, recent(tmp_path / FILE, 1)[0].id, right=False)
    sound = running.appliance.listener.targets.sounds[0]
    assert sound.correction is None
    reload(running)
    await_(lambda: running.appliance.listener.targets.sounds[0].correction is not None)
    shipped = shipped_path(model_folder("starter", tmp_path), "LiteRT")
    mine = json.loads(shipped.read_text())
    mine["targets"]["hand_clap"] |= {"threshold": 0.97, "made": "room"}
    own_path(tmp_path, "starter").parent.mkdir()
    own_path(tmp_path, "starter").write_text(json.dumps(mine))
    reload(running)
    await_(lambda: running.appliance.listener.targets.sounds[0].threshold == 0.97)
    assert running.appliance.steering.about()["calibration"] == {"targets": {"hand_clap": "room"}, "problems": []}


def test_a_model_that_no_longer_serves_is_given_back(start: Start, tmp_path: Path) -> None:
    """The appliance kept the first model, with its files and 2 MB, for as long as it ran."""
    running = start()
    running.hears_on()
    first = weakref.ref(running.appliance.model)
    reload(running)
    await_(lambda: first() is not running.appliance.model and not gc.collect() and first() is None)
    running.hears_on()


def test_a_reload_opens_no_file_of_a_network_again_that_has_not_changed(start: Start) -> None:
    """Nor takes the memory of two for a moment: what it left was a little more each time."""
    running = start()
    running.hears_on()
    before = running.appliance.model
    reload(running, target=(TargetSettings(name="typing"), TargetSettings(name="hand_clap")))
    await_(lambda: names(running) == ("typing", "hand_clap"))
    after = running.appliance.model
    assert isinstance(before, Split) and isinstance(after, Split) and before.looks and after.looks
    assert after is not before and after.labels != before.labels
    assert after.runtime is before.runtime and after.looks.runtime is before.looks.runtime
    running.hears_on()


def test_what_fails_leaves_everything_as_it_is(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    running = start(pin=(PinSettings(pin="17", target="hand_clap", factory="simulated"),))
    running.hears_on()
    serving, targets = running.appliance.steering.serving, running.appliance.listener.targets
    reload(running, target=(TargetSettings(name="hand_clapp"),))
    await_(lambda: "reload: [[target]] hand_clapp labels: found none" in caplog.text)
    reload(running, target=(TargetSettings(name="typing"),))
    await_(lambda: "reload: [[pin]] 17 target: found 'hand_clap'; wanted one of typing" in caplog.text)

    def broken() -> Settings:
        raise SettingsError("edge.toml", found="no TOML", wanted="TOML")

    running.read_settings = broken
    running.appliance.steering.inbox.reload()
    await_(lambda: "reload: edge.toml: found no TOML; wanted TOML; what was heard before is still heard" in caplog.text)
    (tmp_path / "taught" / "starter").mkdir(parents=True)
    (tmp_path / "taught" / "starter" / "000001.npz").write_bytes(b"torn")
    reload(running)
    await_(lambda: any("reload:" in line and "000001.npz" in line for line in caplog.messages))
    assert running.appliance.steering.serving is serving and running.appliance.listener.targets is targets
    running.hears_on()


def test_other_tables_are_named(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    running = start()
    mqtt = running.appliance.steering.serving.settings.mqtt
    reload(running, mqtt=replace(mqtt, port=1), pin=(PinSettings(pin="4", target="hand_clap"),), target=BOTH)
    await_(lambda: {f"reload: {table} has changed, which takes a new start" for table in ("[mqtt]", "[[pin]]")}
           <= set(caplog.messages))
    await_(lambda: names(running) == ("hand_clap", "anything"))
    assert running.appliance.steering.serving.settings.mqtt == mqtt


def test_a_commanded_threshold_outlives_a_reload(start: Start, owner: Owner) -> None:
    running = start()
    owner.ask("threshold", {"target": "hand_clap", "threshold": 0.8})
    reload(running, target=BOTH)
    await_(lambda: names(running) == ("hand_clap", "anything"))
    assert running.appliance.listener.targets.sounds[0].threshold == 0.8


def test_a_mute_outlives_a_reload(start: Start, owner: Owner) -> None:
    running = start()
    owner.ask("mute")
    reload(running, target=BOTH)
    await_(lambda: names(running) == ("hand_clap", "anything"))
    muted, blocks = running.appliance.stats.muted_samples, running.appliance.stats.blocks
    await_(lambda: running.appliance.stats.muted_samples > muted + 160_000)
    assert running.appliance.stats.blocks == blocks and owner.last("muted") == "ON"


def test_a_full_queue_is_said_and_changes_nothing(start: Start, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    running = start()
    control = running.appliance.steering._control
    monkeypatch.setattr(control, "_limit", 0)
    answer = owner.ask("threshold", {"target": "hand_clap", "threshold": 0.9})
    assert (answer["ok"], answer["found"]) == (False, "too many changes at once, or the end")
    assert not running.appliance.steering.serving.thresholds
    assert not control.put(Change(muted=True))
