"""What is refused at the door, how it is answered, and what a flood gets: nothing, while hearing goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.control.changes import Change
from edge.control.commands import Command, Outcome
from edge.errors import SinkError
from edge.sinks.mqtt.client import Received
from edge.sinks.mqtt.commands import ANSWERS, BURST, PER_SECOND, MqttCommands
from edge.stats import Stats
from edge.topics import Topics
from tests.control.commanding import PATIENCE_SECONDS, Owner, Running

Start = Callable[..., Running]
TOPICS = Topics("edge-audio", "kitchen")


class Hands:
    """A clock that moves when told to."""

    seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


def door(*allow: str, hands: Hands | None = None, full: bool = False) -> tuple[MqttCommands, list[Command], Stats]:
    """A door whose commands are all done at once, or find no place."""
    done: list[Command] = []
    stats = Stats()

    def act(command: Command, answer: Callable[[Outcome], None]) -> bool:
        if not full:
            done.append(command)
            answer({"pins": []})
        return not full

    return MqttCommands(TOPICS, allow, act, stats, monotonic=hands or Hands()), done, stats


def test_nothing_is_subscribed_to_unless_the_settings_allow_it() -> None:
    shut, done, stats = door()
    assert shut.pattern == ""
    shut.receive(Received(TOPICS.command("identify"), b""))
    assert not done and shut.take() is None and stats.commands == stats.dropped_commands == 0
    assert door("identify")[0].pattern == "edge-audio/kitchen/command/+"


def test_other_topics_are_left_alone() -> None:
    opened, done, stats = door("identify")
    for topic in ("homeassistant/status", "edge-audio/kitchen/state/clap", "edge-audio/bath/command/identify"):
        opened.receive(Received(topic, b""))
    assert not done and opened.take() is None and stats.commands == 0


@pytest.mark.parametrize(("verb", "at"), [
    ("reboot", "unknown"), ("", "unknown"), ("mute", "mute"), ("x" * 60_000, "unknown")])
def test_what_is_not_allowed_is_answered(verb: str, at: str) -> None:
    opened, done, _ = door("identify")
    opened.receive(Received(f"edge-audio/kitchen/command/{verb}", b""))
    answer = opened.take()
    assert answer is not None and answer.topic == f"edge-audio/kitchen/response/{at}" and len(answer.payload) < 500
    said = json.loads(answer.payload)
    assert (said["ok"], said["verb"], said["wanted"]) == (False, at, "one of identify") and not done


def test_a_retained_command_is_refused() -> None:
    opened, done, _ = door("identify")
    opened.receive(Received(TOPICS.command("identify"), b"", retained=True))
    answer = opened.take()
    assert answer is not None and "a retained message" in json.loads(answer.payload)["found"] and not done


def test_who_finds_no_place_is_told() -> None:
    opened, _, _ = door("identify", full=True)
    opened.receive(Received(TOPICS.command("identify"), b'{"request": "r1"}'))
    answer = opened.take()
    assert answer is not None
    said = json.loads(answer.payload)
    assert (said["found"], said["request"]) == ("too many commands at work", "r1")


@pytest.mark.parametrize(("asked", "given"), [
    ("edge-audio/kitchen/response/mine", "edge-audio/kitchen/response/mine"),
    ("edge-audio/kitchen/response/mine/too", "edge-audio/kitchen/response/mine/too"),
    *((bad, "edge-audio/kitchen/response/identify") for bad in (
        "", "edge-audio/kitchen/response", "edge-audio/kitchen/response/", "edge-audio/kitchen/command/mute", "elsewhere",
        "edge-audio/bath/response/x", "edge-audio/kitchen/response/+", "edge-audio/kitchen/response/a//b",
        "edge-audio/kitchen/response/#", "edge-audio/kitchen/response/" + "x" * 300, "edge-audio/kitchen/response/a\0"))])
def test_an_answer_goes_below_the_devices_own_responses_only(asked: str, given: str) -> None:
    opened, _, _ = door("identify")
    opened.receive(Received(TOPICS.command("identify"), b"", response_topic=asked, correlation=b"c1"))
    answer = opened.take()
    assert answer is not None and (answer.topic, answer.correlation) == (given, b"c1")


def test_long_correlation_data_is_left_out() -> None:
    opened, _, _ = door("identify")
    opened.receive(Received(TOPICS.command("identify"), b"", correlation=b"c" * 257))
    answer = opened.take()
    assert answer is not None and answer.correlation == b""


def test_more_than_so_many_a_second_are_dropped_and_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    hands = Hands()
    opened, done, stats = door("identify", hands=hands)

    def flood(count: int) -> None:
        for _ in range(count):
            opened.receive(Received(TOPICS.command("identify"), b""))

    flood(BURST + 1000)
    assert (len(done), stats.commands, stats.dropped_commands) == (BURST, BURST, 1000)
    hands.seconds += 2.0
    flood(1000)
    assert len(done) == BURST + 2 * PER_SECOND
    hands.seconds += 3600.0
    flood(BURST)
    assert len(done) == 2 * BURST + 2 * PER_SECOND
    assert [line for line in caplog.messages if "dropped" in line] == [
        "command: 1 dropped without an answer: more than 5 a second"]
    flood(1)
    assert [line for line in caplog.messages if "dropped" in line][1:] == [
        f"command: {999 + 990 + 1} dropped without an answer: more than 5 a second"]


def test_answers_that_nobody_takes_are_bounded() -> None:
    hands = Hands()
    opened, done, _ = door("identify", hands=hands)
    for _ in range(10 * ANSWERS):
        hands.seconds += 1.0
        opened.receive(Received(TOPICS.command("identify"), b""))
    waiting = 0
    while opened.take() is not None:
        waiting += 1
    assert (len(done), waiting) == (10 * ANSWERS, ANSWERS)


def test_an_errors_words_are_bounded() -> None:
    answers: list[Callable[[Outcome], None]] = []
    opened = MqttCommands(TOPICS, ["identify"], lambda command, answer: not answers.append(answer), Stats())
    opened.receive(Received(TOPICS.command("identify"), b""))
    answers[0](SinkError("disk", found="x\n" * 1000, wanted="y"))
    answer = opened.take()
    assert answer is not None and len(json.loads(answer.payload)["found"]) <= 310


def test_by_mqtt_itself(start: Start, owner: Owner) -> None:
    """The same by the real broker: correlation data and response topic, retained ones, and what is no JSON."""
    start(allow=("identify",))
    owner.send("identify", response="edge-audio/kitchen/response/of/mine", correlation=b"\x00c7")
    owner.wait_for(lambda: ("response/of/mine", b"\x00c7") in [(topic, data) for topic, _, _, data in owner.messages])
    owner.send("identify", response="elsewhere/entirely")
    owner.wait_for(lambda: owner.last("response/identify"))
    assert not any(topic.startswith("elsewhere") or (retained and topic.startswith("response"))
                   for topic, _, retained, _ in owner.messages)
    owner.send("mute", b"\xff\xfe")
    assert "which [command] allow does not list" in json.loads(owner.wait_for(lambda: owner.last("response/mute")))["found"]
    owner.send("identify", b"\xff\xfe")
    owner.wait_for(lambda: "no UTF-8" in str(owner.last("response/identify")))


def test_a_command_that_the_broker_kept_is_not_obeyed_at_each_connection(start: Start, owner: Owner) -> None:
    owner.send("mute", "{}", retain=True)
    owner.wait_for(lambda: owner.last("command/mute") is not None)
    running = start()
    owner.wait_for(lambda: "a retained message" in str(owner.last("response/mute")))
    running.hears_on()
    assert owner.last("muted") == "OFF"


def test_without_the_settings_word_nothing_is_obeyed(start: Start, owner: Owner) -> None:
    running = start(allow=())
    owner.send("mute")
    running.hears_on()
    running.hears_on()
    assert owner.last("muted") == "OFF" and not owner.answers()


FLOOD = """
import sys, time
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
payloads = (b"", b'{"target": "hand_clap", "threshold": 0.5}', b"[" * 1000, b"x" * 5000)
for number in range(int(sys.argv[2])):
    verb = ("identify", "threshold", "reboot")[number % 3]
    client.publish(f"edge-audio/kitchen/command/{verb}", payloads[number % 4], qos=0)
    if number % 250 == 0:
        time.sleep(0.05)
client.publish("edge-audio/kitchen/command/identify", b"", qos=1).wait_for_publish(60)
client.disconnect()
client.loop_stop()
"""
"""Five thousand commands a second, by another process: in this one it would take the appliance's own time."""

COUNT = 20_000


def rss_megabytes() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_flood_neither_delays_hearing_nor_grows_memory(start: Start, owner: Owner, broker: PrivateBroker) -> None:
    """Thousands of commands as fast as the broker takes them, thresholds and nonsense among them."""
    running = start(allow=("identify", "threshold"))
    owner.hear_only("response/#", "event/#")
    running.hears_on()
    appliance, stats = running.appliance, running.appliance.stats
    source, before, blocks, began = running.source, rss_megabytes(), stats.blocks, time.monotonic()
    queued: list[int] = []
    put = appliance.steering._control.put

    def watched(change: Change) -> bool:
        queued.append(len(appliance.steering._control) + 1)
        return put(change)

    appliance.steering._control.put = watched  # type: ignore[method-assign]
    subprocess.run([sys.executable, "-c", FLOOD, str(broker.port), str(COUNT)], check=True, timeout=PATIENCE_SECONDS)
    flooded, heard = time.monotonic() - began, stats.blocks - blocks
    assert owner.ask_patiently("identify")["ok"], "whoever asks afterwards is answered"
    seconds, grown = time.monotonic() - began, rss_megabytes() - before
    done = stats.commands
    running.hears_on()
    running.stop()
    print(f"{done + stats.dropped_commands} of {COUNT + 1} commands in {flooded:.1f} s (the broker drops others); {done}"
          f" answered; {heard} blocks heard meanwhile; {grown:.1f} MB more")
    assert done <= BURST + PER_SECOND * seconds + 1
    assert stats.dropped_commands > COUNT // 10
    assert heard > 0
    assert max(queued) <= 1, "one command is done after another"
    assert grown < 40.0
    assert stats.blocks == source.heard and stats.lost_samples == 0
    assert [event.sequence for event in running.sink.events] == list(range(1, len(running.sink.events) + 1))
    assert len(owner.answers()) <= stats.commands
