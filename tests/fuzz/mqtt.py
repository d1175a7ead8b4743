"""What comes over MQTT: commands and retained messages as the broker hands them on; and a broker that sends any bytes."""

from __future__ import annotations

import random
import select
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.control.commands import Command, Outcome, parse
from edge.errors import CommandError, EdgeError
from edge.settings import VERBS
from edge.sinks.mqtt.client import MqttClient, Received
from edge.sinks.mqtt.commands import MqttCommands
from edge.sinks.mqtt.discovery import Board, TargetEntities, device_payload, discovery_topic
from edge.sinks.mqtt.retained import Retained
from edge.stats import Stats
from edge.topics import Topics, encode
from tests.fuzz import mutation
from tests.fuzz.engine import badly_said

TOPICS = Topics("edge-audio", "kitchen")
BOARD = Board(TOPICS, "0.1.0", "starter", (TargetEntities("hand_clap"),), ("17",), VERBS)
PATIENCE_SECONDS = 30.0


class Commands:
    """Verb, response topic and payload, each behind a line break but the first."""

    allowed = ()

    def __init__(self, folder: Path) -> None:
        self._second = 0.0
        self._taken: list[Command] = []

    def _act(self, command: Command, answer: Callable[[Outcome], None]) -> bool:
        answer(CommandError("command", found="\n".join("é" * 900), wanted="\0"))
        self._taken.append(command)
        return command.request != "full"

    def seeds(self) -> Sequence[bytes]:
        return [b"mute\n\n{\"seconds\": 600, \"request\": \"from the hall\"}", b"mute\nedge-audio/kitchen/response/x\n{}",
                b'threshold\n\n{"target": "hand_clap", "threshold": 0.5}', b"unmute\n\n",
                b'identify\n\n{"request": "full"}', b'pin-test\n\n{"pin": "J8:11"}',
                b'feedback\n\n{"id": "4f1c9a", "judgement": "right", "target": "x"}',
                b"config\n\n" + encode(device_payload(BOARD)).encode(), b"birth\n\nonline", b"state/typing\n\nON"]

    def try_one(self, data: bytes) -> None:
        verb, topic, payload = (*data.split(b"\n", 2), b"", b"")[:3]
        word, response = verb.decode("utf-8", "replace"), topic.decode("utf-8", "replace")
        self._taken.clear()
        self._second += 10.0
        commands = MqttCommands(TOPICS, VERBS, self._act, Stats(), monotonic=lambda: self._second)
        for retained in (False, True):
            commands.receive(Received(f"edge-audio/kitchen/command/{word}", payload, retained, response, topic[:300]))
        while (answer := commands.take()) is not None:
            assert answer.topic.startswith("edge-audio/kitchen/response/") and not set(answer.topic) & set("+#\0")
            assert len(answer.payload) < 5_000
        assert len(self._taken) <= 1
        try:
            command = parse(word, payload, VERBS)
            assert [command] == self._taken
        except CommandError as error:
            assert not badly_said(error) and not self._taken
        if word not in VERBS:
            self._retained(word, payload)

    def _retained(self, word: str, payload: bytes) -> None:
        topic = {"config": discovery_topic("homeassistant", TOPICS), "birth": "homeassistant/status"}.get(
            word, f"edge-audio/kitchen/{word}")
        for discovery in (True, False):
            kept = Retained(BOARD, discovery_prefix="homeassistant", discovery=discovery)
            kept.hear(topic, payload.decode("utf-8", "replace"), topic != kept.birth)
            for told, text in kept.due(1e9, settled=True):
                assert told and isinstance(text.encode(), bytes)

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        head, payload = data.rsplit(b"\n", 1) if b"\n" in data else (data, b"")
        if chance.random() < 0.2:
            tokens = (b"/", b"+", b"#", b"\0", b"edge-audio/kitchen/response/", b"x" * 300)
            head = mutation.of_bytes(head, chance, tokens=tokens)
        elif chance.random() < 0.1:
            head = chance.choice((*(verb.encode() for verb in VERBS), b"config", b"birth")) + b"\n"
        return head + b"\n" + mutation.of_json(payload, chance, tokens=(b"{", b"}", b'"', b":", b"\xff"))


class Packets:
    """A broker that answers our CONNECT with these bytes; the first one chooses the version of MQTT."""

    allowed: tuple[type[EdgeError], ...] = ()

    def __init__(self, folder: Path) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._client = MqttClient()

    def close(self) -> None:
        self._server.close()

    def seeds(self) -> Sequence[bytes]:
        topic = b"edge-audio/kitchen/command/mute"
        of_five = _packet(0x30, struct.pack(">H", len(topic)) + topic + b"\0{}")
        asked = _packet(0x32, struct.pack(">H", len(topic)) + topic + b"\0\1" + b"\x0c\x08\0\3a/b\x09\0\2xy" + b"{}")
        old = _packet(0x30, struct.pack(">H", len(topic)) + topic + b"{}")
        five, three = _packet(0x20, b"\0\0\x06\x21\0\5\x22\0\x0a"), _packet(0x20, b"\0\0")
        rest = _packet(0x40, b"\0\1") + _packet(0x90, b"\0\1\0\1") + _packet(0xB0, b"\0\2\0\0") + _packet(0xD0, b"")
        return [b"5" + five + of_five + asked + rest, b"5" + five + _packet(0xE0, b"\x8e\0"), b"3" + three + old + rest,
                b"3" + _packet(0x20, b"\0\5"), b"5" + _packet(0x20, b"\0\x87\0"), b"5" + five + _packet(0xF0, b"\x18\0")]

    def try_one(self, data: bytes) -> None:
        client = self._client
        client.begin("5" if data[:1] == b"5" else "3.1.1", "edge-audio-kitchen", None, user="", password=None,
                     will=("edge-audio/kitchen/status", "offline"), keep_session=False)
        port = self._server.getsockname()[1]
        try:
            client.connect("127.0.0.1", port, 30, timeout_seconds=PATIENCE_SECONDS)
            broker, _ = self._server.accept()
            with broker:
                broker.sendall(data[1:60_000])
                broker.shutdown(socket.SHUT_WR)
                for _ in range(2_000):
                    if (ours := client.socket) is None:
                        break
                    if client.answer is not None and client.room:
                        client.publish("edge-audio/kitchen/event/clap", "{}", retain=False)
                    readable = bool(select.select([ours], [], [], PATIENCE_SECONDS)[0])
                    client.service(readable=readable)
            for received in client.received:
                assert len(received.text) <= 1 << 20 and isinstance(received.correlation, bytes)
            client.acknowledged()
        except (OSError, ValueError):  # as `MqttClient.service` says
            pass
        finally:
            client.close()

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        tokens = tuple(bytes([kind, 2]) for kind in range(0x10, 0x100, 0x10))
        return data[:1] + mutation.of_bytes(data[1:], chance, tokens=tokens)


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind, len(body)]) + body
