"""One frozen dataclass per part. Every key has a default, a line of help and a range; `settings_file.py` loads TOML.

A part is handed its own dataclass only; `app.py` alone sees `Settings`. The tables of pins lie in `pins.py`, those of
buttons and the status LED in `panel.py`, that of the page in `page.py`.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

from edge.settings.key import key as _key
from edge.settings.page import PageSettings
from edge.settings.panel import ButtonSettings, LedSettings
from edge.settings.pins import PinSettings
from edge.stream import HIGHEST_RATE


def device_name_of(host_name: str) -> str:
    """A device name made of a host name: every run of other characters than letters, digits, '-' and '_' becomes one '-'.

    "edge-audio" where nothing is left.
    """
    return re.sub("[^A-Za-z0-9_-]+", "-", host_name).strip("-") or "edge-audio"


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """[device]: what this board is called."""

    name: str = _key("", "name in every topic: letters, digits, '-' and '_'; empty: the board's host name, so written")

    def __post_init__(self) -> None:
        """Nobody sees an empty name: the host's takes its place at once."""
        if not self.name:
            object.__setattr__(self, "name", device_name_of(socket.gethostname()))


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """[source]: where sound comes from."""

    kind: str = _key("microphone", "microphone, file or command", choices=("microphone", "file", "command"))
    microphone: str = _key("", "part of its name (`edge-audio devices` lists them); empty: the system's default")
    rate: int = _key(0, "Hz to ask of the card, or that the command prints; 0: 16000 if it can, else its own",
                     low=0, high=HIGHEST_RATE)
    channels: int = _key(0, "channels to ask for, or that the command prints; 0: the card's fewest (command: 1)",
                         low=0, high=64)
    channel: int = _key(-1, "which channel to hear, from 0; -1: the mean of all", low=-1, high=63)
    path: str = _key("", "kind file: the recording to hear")
    paced: bool = _key(True, "kind file: in real time (true) or as fast as possible (false)")
    command: tuple[str, ...] = _key((), "kind command: program and arguments that print raw little-endian 16-bit PCM")
    block_seconds: float = _key(0.1, "length of a whole block, in seconds; a look waits for half a block at most",
                                low=0.01, high=1.0)
    queue_blocks: int = _key(64, "blocks that may wait between the sound card and the listener", low=4, high=4096)
    retry_seconds: float = _key(15.0, "longest pause before a lost microphone or command is tried again", low=0.1,
                                high=3600.0)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """[model]: what listens."""

    name: str = _key("starter", "an installed or embedded model (`edge-audio model list`)")
    runtime: str = _key("auto", "auto (LiteRT where installed), litert or tflite-runtime",
                        choices=("auto", "litert", "tflite-runtime"))
    threads: int = _key(1, "threads of the runtime; two were slower than one", low=1, high=16)
    delegate: str = _key("", "path or name of an external delegate, such as libedgetpu.so.1; empty: none")
    hop_seconds: float = _key(0.24, "seconds between patches, a multiple of 0.01", low=0.01, high=0.96)


@dataclass(frozen=True, slots=True)
class GateSettings:
    """[gate]: the backbone sleeps while nothing rises over the room's noise."""

    enabled: bool = _key(True, "leave the backbone asleep while the gate is closed")
    open_db: float = _key(6.0, "dB over the noise floor that open the gate", low=0.0, high=60.0)
    hang_over_seconds: float = _key(2.0, "seconds that the gate stays open after the last loud block", low=1.0,
                                    high=3600.0)


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """[[target]]: what the owner wants to hear. What is left out comes from the model's own target of this name."""

    name: str = _key("", "name in topics and events: letters, digits, '-' and '_'")
    labels: tuple[str, ...] = _key((), "labels of the model that count, by patches, not looks; empty: its own for this name")
    threshold: float = _key(0.0, "probability that starts an event; 0: the model's own", low=0.0, high=1.0)
    release_threshold: float = _key(0.0, "probability under which the event may end; 0: the model's own", low=0.0,
                                    high=1.0)
    minimum_duration_seconds: float = _key(0.0, "seconds over the threshold before an event starts", low=0.0,
                                           high=60.0)
    release_seconds: float = _key(0.5, "seconds under the release threshold before it ends", low=0.0, high=600.0)
    refractory_seconds: float = _key(0.5, "lasting: seconds after an event ends in which no new one starts", low=0.0,
                                     high=3600.0)
    sound: str = _key("", "impulsive (an event for each onset) or lasting (one from start to end); empty: the model's own",
                      choices=("", "impulsive", "lasting"))
    pattern_of: str = _key("", "makes a pattern: the target whose events it counts")
    count: int = _key(2, "pattern: how many events", low=2, high=100)
    minimum_gap_seconds: float = _key(0.1, "pattern: shortest time from one event's start to the next", low=0.0,
                                      high=60.0)
    maximum_gap_seconds: float = _key(0.8, "pattern: longest time from one event's start to the next", low=0.05,
                                      high=60.0)
    quiet_before_seconds: float = _key(0.0, "pattern: no event of that target for so long before the first", low=0.0,
                                       high=60.0)
    quiet_after_seconds: float = _key(0.0, "pattern: none for so long after the last", low=0.0, high=60.0)
    suppress: bool = _key(False, "pattern: the single events that make it up are not sent")
    louder_db: float = _key(0.0, "makes a loudness target, without labels: so many dB over the room's noise; 0: none",
                            low=0.0, high=100.0)


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """[mqtt]: the broker. Without a host nothing is sent."""

    host: str = _key("", "host name or address of the broker; empty: no MQTT")
    port: int = _key(0, "TCP port; 0: 1883, or 8883 with tls", low=0, high=65_535)
    user: str = _key("", "user name; empty: none")
    password_file: str = _key("", "file whose first line is the password, for its owner only; empty: none")
    password_credential: str = _key("", "instead: the name that systemd's LoadCredential= gives it; empty: none")
    tls: bool = _key(False, "encrypt, with TLS 1.2 or later, and verify that it is the broker of this name")
    tls_ca_file: str = _key("", "PEM file of the CA that signed the broker's certificate; empty: the system's CAs")
    tls_certificate_file: str = _key("", "PEM file of the certificate that we show the broker; empty: none")
    tls_key_file: str = _key("", "PEM file of its key, not encrypted, for its owner only; empty: none")
    tls_key_credential: str = _key("", "instead: the name that systemd's LoadCredential= gives it; empty: none")
    tls_insecure: bool = _key(False, "believe any certificate: whoever is on the way can pose as the broker")
    protocol: str = _key("auto", "MQTT version: 5, 3.1.1 or auto (5, or 3.1.1 where the broker does not speak it)",
                         choices=("auto", "5", "3.1.1"))
    prefix: str = _key("edge-audio", "first level of every topic")
    keepalive_seconds: int = _key(30, "seconds between signs of life to the broker", low=5, high=3600)
    retry_seconds: float = _key(60.0, "longest pause before a lost broker is tried again", low=1.0, high=3600.0)
    queue_events: int = _key(10_000, "messages that may wait while the broker is away; the oldest go first", low=1,
                             high=1_000_000)
    queue_megabytes: int = _key(8, "room for them, in memory and in the journal", low=1, high=1000)
    health_seconds: float = _key(60.0, "seconds between health messages", low=1.0, high=86_400.0)
    discovery: bool = _key(True, "tell Home Assistant of this board, so that its entities appear by themselves; false takes "
                                 "it back")
    discovery_prefix: str = _key("homeassistant", "Home Assistant's own discovery prefix")

    @property
    def tcp_port(self) -> int:
        """The port in use: the standard one where the settings name none."""
        return self.port or (8883 if self.tls else 1883)

    @property
    def queue_bytes(self) -> int:
        """Room for what waits, in memory and in the journal each."""
        return self.queue_megabytes * 1_000_000


VERBS = ("mute", "unmute", "identify", "feedback", "threshold", "pin-test")
"""What `[command] allow` may list."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """[command]: what others may command over MQTT. Nothing, unless the owner says so."""

    allow: tuple[str, ...] = _key((), f"verbs that are obeyed, of {', '.join(VERBS)}")


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """[journal]: the last events, with what made them, for `feedback`; no sound unless the owner asks for it."""

    events: int = _key(10_000, "events kept, 1 to 4 kB each, the oldest go first; 0: none, no feedback", low=0,
                       high=1_000_000)
    directory: str = _key("", "folder of journal.sqlite3, which holds what waits for the broker, too; empty: the state "
                              "directory; on a tmpfs it spares an SD card and is lost with the power")
    sound: bool = _key(False, "keep the sound of events too, to judge them by ear: WAV files on this machine only")
    sound_megabytes: int = _key(64, "room for them; the oldest go first", low=1, high=100_000)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """[log]: one JSON line per event, and how much the program says of itself."""

    events: str = _key("-", "where event lines go: - is standard output, else a file to append to; empty: nowhere")
    level: str = _key("info", "debug, info, warning or error (to standard error)",
                      choices=("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """[watch]: what `edge-audio watch` looks at."""

    enabled: bool = _key(True, "offer what is heard now to `edge-audio watch`, and take commands: a socket in the state "
                               "directory, for this user and root")


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """[update]: where the image looks for a new one by itself. Off, unless the owner names an address."""

    url: str = _key("", "https:// or http:// address of a signed bundle (.raucb); empty: nothing is looked for")
    hour: int = _key(3, "hour of the day, local time, in which the image installs an update and starts anew", low=0, high=23)


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. Only `app.py` and `check` read the whole."""

    device: DeviceSettings = field(default_factory=DeviceSettings)
    source: SourceSettings = field(default_factory=SourceSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    target: tuple[TargetSettings, ...] = ()
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    pin: tuple[PinSettings, ...] = ()
    button: tuple[ButtonSettings, ...] = ()
    led: LedSettings = field(default_factory=LedSettings)
    command: CommandSettings = field(default_factory=CommandSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    log: LogSettings = field(default_factory=LogSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    page: PageSettings = field(default_factory=PageSettings)
    update: UpdateSettings = field(default_factory=UpdateSettings)

    @property
    def commandable(self) -> tuple[str, ...]:
        """The verbs that somebody may command over MQTT, by a button that mutes, or through the watch socket."""
        if self.watch.enabled:
            return VERBS
        mutes = "mute" not in self.command.allow and any(button.action == "mute" for button in self.button)
        return (*self.command.allow, "mute") if mutes else self.command.allow
