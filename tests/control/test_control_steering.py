"""Commands done by the real parts: the starter and bundled sounds, a Mosquitto, simulated pins, and who commands."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.control.commands import Identify
from edge.settings import PinSettings, TargetSettings, WatchSettings
from edge.workshop import feedback as judging
from tests.control.commanding import PATIENCE_SECONDS, Owner, Running, await_

pytestmark = pytest.mark.big

Start = Callable[..., Running]


def test_mute_and_unmute(start: Start, owner: Owner) -> None:
    running = start()
    assert owner.last("muted") == "OFF"
    running.hears_on()
    answer = owner.ask("mute")
    assert answer == {"schema": 1, "verb": "mute", "request": answer["request"], "ok": True, "found": None, "wanted": None,
                      "muted": True, "seconds": None, "kept": True}
    owner.wait_for(lambda: owner.last("muted") == "ON")
    scored, told = running.appliance.stats.patches, len(running.sink.events)
    await_(lambda: running.appliance.stats.muted_samples > 30 * 16_000)
    assert (running.appliance.stats.patches, len(running.sink.events)) == (scored, told)
    assert [event.phase for event in running.sink.events] == ["start", "end"] * (told // 2)
    assert owner.ask("unmute")["muted"] is False
    owner.wait_for(lambda: owner.last("muted") == "OFF")
    running.hears_on()


def test_a_mute_with_seconds_ends_by_itself(start: Start, owner: Owner) -> None:
    running = start()
    assert owner.ask("mute", {"seconds": 0.2})["kept"] is False
    owner.wait_for(lambda: [payload for topic, payload, *_ in owner.messages if topic == "muted"][-2:] == ["ON", "OFF"])
    running.hears_on()


def test_a_mute_without_seconds_survives_a_restart(start: Start, owner: Owner, tmp_path: Path) -> None:
    running = start()
    owner.ask("mute")
    running.stop()
    again = start()
    assert owner.last("muted") == "ON"
    await_(lambda: again.appliance.stats.muted_samples > 20 * 16_000)
    assert again.appliance.stats.blocks == 0 and not again.sink.events
    assert again.sink.healths == [] or again.sink.healths[-1]["muted"] is True
    again.stop()
    free = start(allow=("identify",), watch=WatchSettings(enabled=False))
    assert owner.last("muted") == "OFF", "whoever may not mute any more has not muted"
    free.hears_on()


def test_identify_and_pin_test(start: Start, owner: Owner) -> None:
    running = start(pin=(
        PinSettings(pin="17", target="hand_clap", factory="simulated", action="hold"),
        PinSettings(pin="27", factory="simulated", identify=True, active_high=False)))
    assert {topic for topic, *_ in owner.messages if topic.startswith("pin/")} == {"pin/17", "pin/27"}
    assert owner.ask("identify")["pins"] == ["27"]
    await_(lambda: running.pins.count(("27", True)) == 10)
    owner.wait_for(lambda: ("pin/27", "ON") in [(topic, payload) for topic, payload, *_ in owner.messages])
    owner.wait_for(lambda: owner.last("pin/27") == "OFF")
    owner.ask("mute")
    assert [owner.ask("pin-test", {"pin": name})["pin"] for name in ("17", 17, "BCM17", "BOARD11")] == ["17"] * 4
    owner.wait_for(lambda: owner.last("pin/17") == "OFF" and ("17", True) in running.pins)
    refused = owner.ask("pin-test", {"pin": "18"})
    assert (refused["ok"], refused["found"], refused["wanted"]) == (False, "'18'", "one of 17, 27")


def test_identify_without_a_pin_is_answered(start: Start, owner: Owner, caplog: pytest.LogCaptureFixture) -> None:
    start()
    with caplog.at_level("INFO"):
        assert owner.ask("identify")["pins"] == []
    assert any("command identify (request 'r" in line and "done" in line for line in caplog.messages)


def test_a_threshold_is_commanded_and_taken_back(start: Start, owner: Owner, tmp_path: Path,
                                                 caplog: pytest.LogCaptureFixture) -> None:
    running = start()
    running.hears_on()
    own = running.appliance.listener.targets.sounds[0]
    answer = owner.ask("threshold", {"target": "hand_clap", "threshold": 0.9999})
    assert (answer["threshold"], answer["commanded"], answer["kept"]) == (0.9999, True, True)
    told, heard = len(running.sink.events), running.source.heard
    await_(lambda: running.source.heard > heard + 2 * len(running.source.script))
    assert len(running.sink.events) <= told + 1, "none but the end of what ran"
    running.stop()
    with caplog.at_level("WARNING"):
        again = start()
    assert "threshold of hand_clap is 0.9999 by a command (null takes it back)" in caplog.messages
    assert again.appliance.listener.targets.sounds[0].threshold == 0.9999
    assert owner.ask("threshold", {"target": "hand_clap", "threshold": None})["threshold"] == round(own.threshold, 4)
    again.hears_on()
    now = again.appliance.listener.targets.sounds[0]
    assert (now.threshold, now.release_threshold) == (own.threshold, own.release_threshold)
    assert json.loads((tmp_path / "commanded.json").read_text()) == {"schema": 1, "muted": False, "thresholds": {}}
    refused = owner.ask("threshold", {"target": "typing", "threshold": 0.5})
    assert (refused["found"], refused["wanted"]) == ("'typing'", "a sound that is heard: one of hand_clap")


@pytest.mark.parametrize("labels", [("hand_clap",), ()], ids=["by patches", "by looks"])
def test_feedback_is_taken_in_and_heard_at_once(start: Start, owner: Owner, labels: tuple[str, ...]) -> None:
    running = start(target=(TargetSettings(name="hand_clap", labels=labels),))
    running.hears_on()
    assert running.appliance.listener.targets.sounds[0].looked == (not labels)
    event = json.loads(owner.wait_for(lambda: owner.last("event/hand_clap")))
    assert running.appliance.listener.targets.sounds[0].correction is None
    await_(lambda: owner.ask("feedback", {"id": event["id"], "judgement": "wrong"})["ok"])  # once it is in the journal
    answer = owner.answers("response/feedback")[-1]
    assert (answer["target"], answer["wrong"], answer["right"]) == ("hand_clap", 1, 0)
    assert running.appliance.listener.targets.sounds[0].correction is not None
    assert "no event" in owner.ask("feedback", {"id": "ffffffff", "judgement": "wrong"})["found"]


def test_who_mutes_does_not_wait_for_a_refit(start: Start, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refit takes seconds of a small board. Here it takes as long as the test likes; then it is the real one."""
    running, real, let_go, begun = start(), judging.take_in, threading.Event(), threading.Event()

    def slow(*given: object, **named: object) -> object:
        begun.set()
        assert let_go.wait(PATIENCE_SECONDS)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "take_in", slow)
    owner.send("feedback", '{"id": "ffffffff", "judgement": "wrong", "request": "slow"}')
    assert begun.wait(PATIENCE_SECONDS)
    assert owner.ask("mute")["ok"] and owner.ask("unmute")["ok"]
    assert owner.ask("feedback", {"id": "ffffffff", "judgement": "wrong"})["found"] == "another one at work"
    running.hears_on()
    assert "slow" not in [answer["request"] for answer in owner.answers()]
    let_go.set()
    owner.wait_for(lambda: "slow" in [answer["request"] for answer in owner.answers()])


def test_a_switch_with_one_topic_mutes_and_unmutes(start: Start, owner: Owner, tmp_path: Path) -> None:
    start()
    assert owner.ask("mute", {"on": True})["muted"] is True
    answer = owner.ask("mute", {"on": False})
    assert (answer["verb"], answer["muted"], answer["kept"]) == ("mute", False, True)
    owner.wait_for(lambda: owner.last("muted") == "OFF")
    assert json.loads((tmp_path / "commanded.json").read_text())["muted"] is False


def test_commands_are_obeyed_in_mqtt_3_1_1_too(start: Start, owner: Owner, broker: PrivateBroker) -> None:
    start(mqtt=broker.settings(protocol="3.1.1"))
    owner.send("identify", '{"request": "old"}', response="edge-audio/kitchen/response/mine", correlation=b"c")
    answer = owner.wait_for(lambda: owner.answers("response/identify"))[0]
    assert (answer["ok"], answer["request"]) == (True, "old"), "where 5 would have used the response topic"


def test_a_disk_that_fails_keeps_nobody_from_muting(start: Start, owner: Owner, tmp_path: Path,
                                                    caplog: pytest.LogCaptureFixture) -> None:
    start()
    (tmp_path / "commanded.json").mkdir()
    answer = owner.ask("mute")
    assert (answer["ok"], answer["muted"], answer["kept"]) == (True, True, False)
    assert "it holds until the next start" in caplog.text
    (tmp_path / "commanded.json").rmdir()
    assert owner.ask("mute")["kept"] is True


def test_a_command_on_the_way_to_an_end_is_answered_or_dropped_and_nothing_hangs(start: Start, owner: Owner) -> None:
    running = start()
    for _ in range(10):
        owner.send("threshold", '{"target": "hand_clap", "threshold": 0.5}')
    running.stop()
    owner.wait_for(lambda: owner.last("status") == "offline")
    assert not running.appliance.steering.inbox.command(Identify(), lambda outcome: None)
