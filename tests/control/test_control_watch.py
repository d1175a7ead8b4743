"""Commands through the watch socket of a whole appliance: one state with MQTT and the buttons, kept, and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.settings import PinSettings, TargetSettings
from edge.settings.panel import ButtonSettings
from tests.control.commanding import Owner, Running, await_
from tests.control.test_control_buttons import press
from tests.sinks.looking import Looker

pytestmark = pytest.mark.big

Start = Callable[..., Running]
MUTE = ButtonSettings(pin="23", factory="simulated")


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Callable[[], Looker]]:
    made: list[Looker] = []

    def look() -> Looker:
        made.append(Looker(tmp_path))
        made[-1].until(lambda told: bool(told))
        return made[-1]

    yield look
    for each in made:
        each.client.close()


def ask(looker: Looker, verb: str, **fields: object) -> dict[str, Any]:
    request = f"r{len(looker.told)}"
    looker.client.command(verb, request=request, **fields)
    looker.until(lambda told: any(each.get("request") == request for each in told))
    return next(each for each in looker.kinds("answer") if each["request"] == request)


def about(looker: Looker) -> dict[str, Any]:
    return dict(looker.kinds("about")[-1]["about"])


def target(looker: Looker, name: str) -> dict[str, Any]:
    return next(dict(each) for each in about(looker)["targets"] if each["target"] == name)


def test_one_mute_for_socket_button_and_broker(start: Start, owner: Owner, looker: Callable[[], Looker]) -> None:
    """Nothing is allowed over MQTT: whoever may open the socket stands at the board."""
    running = start(allow=("unmute",), button=(MUTE,))
    eye = looker()
    assert about(eye)["muted"] is False and about(eye)["words"].startswith("hearing hand_clap")
    answer = ask(eye, "mute")
    assert (answer["ok"], answer["muted"], answer["seconds"], answer["kept"]) == (True, True, None, True)
    owner.wait_for(lambda: owner.last("muted") == "ON")
    eye.until(lambda _: about(eye)["muted"] is True)
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "OFF")
    running.hears_on()
    ask(eye, "mute", seconds=600)
    assert owner.ask("unmute")["muted"] is False
    eye.until(lambda _: about(eye)["muted"] is False)
    running.hears_on()


def test_what_the_socket_commanded_holds_after_a_restart(start: Start, tmp_path: Path, looker: Callable[[], Looker]) -> None:
    running = start(allow=())
    eye = looker()
    before = target(eye, "hand_clap")
    assert before["by"] != "a command" and before["kind"] == "impulsive" and before["labels"]
    assert ask(eye, "threshold", target="hand_clap", threshold=0.9)["kept"] is True
    eye.until(lambda _: target(eye, "hand_clap")["by"] == "a command")
    assert target(eye, "hand_clap")["threshold"] == 0.9
    eye.until(lambda told: told[-1]["kind"] == "hearing" and told[-1]["targets"][0]["threshold"] == 0.9)
    ask(eye, "mute")
    running.stop()
    assert eye.until(lambda _: False)[-1]["kind"] == "bye"
    start(allow=())
    again = looker()
    assert about(again)["muted"] is True and target(again, "hand_clap")["threshold"] == 0.9
    assert json.loads((tmp_path / "commanded.json").read_text())["thresholds"]["starter"] == {"hand_clap": 0.9}
    ask(again, "threshold", target="hand_clap", threshold=None)
    ask(again, "unmute")
    again.until(lambda _: target(again, "hand_clap") == before)
    refused = ask(again, "threshold", target="moo", threshold=0.5)
    assert refused["ok"] is False and refused["error"].startswith("target: found 'moo'; wanted a sound that is heard")


def test_a_reload_is_answered_whole_or_not_at_all(start: Start, looker: Callable[[], Looker],
                                                  caplog: pytest.LogCaptureFixture) -> None:
    """As after `teach` or `calibrate` by another process, which need not know which process the appliance is."""
    running = start(allow=())
    eye, settings = looker(), running.appliance.steering.serving.settings
    more = replace(settings, target=(TargetSettings(name="hand_clap"), TargetSettings(name="typing")))
    running.read_settings = lambda: more
    assert ask(eye, "reload")["targets"] == ["hand_clap", "typing"]
    eye.until(lambda _: [each["target"] for each in about(eye)["targets"]] == ["hand_clap", "typing"])
    running.read_settings = lambda: replace(settings, target=(TargetSettings(name="moo"),))
    refused = ask(eye, "reload")
    assert refused["ok"] is False and "moo" in refused["error"]
    assert "watch: command reload (request" in caplog.text and "what was heard before" not in caplog.text
    assert running.appliance.listener.targets.names == ("hand_clap", "typing")
    running.hears_on()


def test_pins_targets_counters_and_feedback(start: Start, looker: Callable[[], Looker]) -> None:
    running = start(allow=(), pin=(PinSettings(pin="17", target="hand_clap", factory="simulated", seconds=0.05),), target=(
        TargetSettings(name="hand_clap"), TargetSettings(name="two", pattern_of="hand_clap"),
        TargetSettings(name="noise", louder_db=20.0), TargetSettings(name="smoke_alarm"), TargetSettings(name="typing")))
    eye = looker()
    kinds = {each["target"]: each["kind"] for each in about(eye)["targets"]}
    assert kinds == {"hand_clap": "impulsive", "two": "pattern", "noise": "loudness", "smoke_alarm": "alarm",
                     "typing": "lasting"}
    assert 0 < target(eye, "typing")["release_threshold"] <= target(eye, "typing")["threshold"] < 1
    assert set(kinds) == set(running.appliance.listener.targets.names)
    eye.client.want("pins", "health")
    assert ask(eye, "pin-test", pin="GPIO17")["pin"] == "17"
    eye.until(lambda _: {told["pins"]["17"] for told in eye.kinds("pins")} == {False, True})
    eye.until(lambda _: bool(eye.kinds("health")))
    assert eye.kinds("health")[0]["health"].keys() == {"uptime_seconds"} | running.appliance.stats.snapshot().keys()
    claps: list[str] = []
    eye.until(lambda told: bool(claps.extend(each["event"]["id"] for each in told if each["kind"] == "event"
                                             and each["event"]["target"] == "hand_clap") or claps))
    await_(lambda: bool(ask(eye, "feedback", id=claps[0], judgement="right")["ok"]))  # once the journal has it
    judged = eye.kinds("answer")[-1]
    assert (judged["target"], judged["right"]) == ("hand_clap", 1)
