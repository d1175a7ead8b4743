"""Every topic and payload name. Pure; `tests/test_topics.py` pins each of them, for scripts of others rely on them.

    <prefix>/<device>/status            online or offline (the last will); retained
    <prefix>/<device>/event/<target>    JSON, QoS 1: `event_payload`
    <prefix>/<device>/state/<target>    ON or OFF; retained
    <prefix>/<device>/health            JSON; retained
    <prefix>/<device>/muted             ON or OFF; retained
    <prefix>/<device>/pin/<pin>         ON or OFF; retained
    <prefix>/<device>/command/<verb>    what others send to this device, JSON
    <prefix>/<device>/response/<verb>   JSON, QoS 1: `answer_payload`
    <prefix>/<device>/dropped           ranges of sequence numbers that had to be dropped
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NoReturn

from edge.errors import CommandError, EdgeError, SettingsError, shown
from edge.stream import SILENCE_DBFS, Event

SCHEMA = 1
"""Version of the event payload: grows when a name in it changes its meaning or goes; a new name leaves it as it is."""

ONLINE, OFFLINE = "online", "offline"
"""What `status` says."""

MOST_WORDS = 300
"""Letters of each of an answer's `found` and `wanted`, at most."""

MOST_BYTES = 1_024
"""A longer command is not looked at."""

ON, OFF = "ON", "OFF"
"""What `state/<target>`, `muted` and `pin/<pin>` say."""


def check_level(text: str, *, thing: str) -> str:
    """`text`, if it can be one level of a topic; `thing` names the setting. Raises SettingsError."""
    wanted = "a name without '/', '+', '#', control characters or a '$' in front"
    if not text:
        raise SettingsError(thing, found="nothing", wanted=wanted)
    if text.startswith("$") or any(letter in "/+#" or not _printable(letter) for letter in text):
        raise SettingsError(thing, found=ascii(text), wanted=wanted)
    return text


def _printable(letter: str) -> bool:
    """A space or anything that shows; not NUL, other control characters or half a surrogate pair (not UTF-8)."""
    return letter == " " or letter.isprintable()


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device. Raises SettingsError where a name is no topic level."""

    prefix: str
    device: str

    def __post_init__(self) -> None:
        check_level(self.prefix, thing="[mqtt] prefix")
        check_level(self.device, thing="[device] name")

    @property
    def status(self) -> str:
        """`online` or `offline`; retained, QoS 1; the last will."""
        return f"{self.prefix}/{self.device}/status"

    def event(self, target: str) -> str:
        """One message per start and one per end of an event; QoS 1."""
        return f"{self.prefix}/{self.device}/event/{check_level(target, thing='[[target]] name')}"

    def state(self, target: str) -> str:
        """`ON` while the target sounds, else `OFF`; retained, QoS 1."""
        return f"{self.prefix}/{self.device}/state/{check_level(target, thing='[[target]] name')}"

    @property
    def health(self) -> str:
        """Counters and states as JSON; retained, QoS 1."""
        return f"{self.prefix}/{self.device}/health"

    def command(self, verb: str) -> str:
        """What others send to this device."""
        return f"{self.prefix}/{self.device}/command/{check_level(verb, thing='command')}"

    @property
    def commands(self) -> str:
        """The pattern of all commands, to subscribe to."""
        return f"{self.prefix}/{self.device}/command/+"

    def response(self, verb: str) -> str:
        """The answer to a command, as JSON; QoS 1, not retained."""
        return f"{self.prefix}/{self.device}/response/{check_level(verb, thing='command')}"

    @property
    def muted(self) -> str:
        """`ON` while nothing is heard because of a command, else `OFF`; retained, QoS 1."""
        return f"{self.prefix}/{self.device}/muted"

    def pin(self, pin: str) -> str:
        """`ON` or `OFF`: what a pin is, as named in the settings; retained, QoS 1."""
        return f"{self.prefix}/{self.device}/pin/{check_level(pin, thing='[[pin]] pin')}"

    @property
    def dropped(self) -> str:
        """Ranges of sequence numbers that had to be dropped, as JSON."""
        return f"{self.prefix}/{self.device}/dropped"


def event_payload(event: Event, *, device: str, late: bool) -> dict[str, object]:
    """What an event says, the same over MQTT and in the log; `encode` makes it JSON.

    Numbers are plain and finite: probability and score 0 to 1 (4 digits), level_dbfs -120 to 0 (1 digit),
    duration_seconds to the millisecond. ended_at and duration_seconds are None while the sound lasts.
    clock_synchronised: false where nobody had set the clock: the dates may be wrong.
    late: sent so long after it happened that nobody should act on it as if it were now.
    """
    duration = event.duration_seconds
    return {
        "schema": SCHEMA,
        "id": event.id,
        "phase": event.phase,
        "sequence": int(event.sequence),
        "device": device,
        "target": event.target,
        "label": event.label,
        "probability": _unit(event.probability),
        "score": _unit(event.score),
        "started_at": rfc3339(event.started_at),
        "ended_at": None if event.ended_at is None else rfc3339(event.ended_at),
        "duration_seconds": None if duration is None else round(float(duration), 3),
        "level_dbfs": _level(event.level_dbfs),
        "clock_synchronised": bool(event.clock_synchronised),
        "late": bool(late),
    }


def answer_payload(verb: str, *, request: str | None, found: str | None = None, wanted: str | None = None,
                   more: Mapping[str, object] = MappingProxyType({})) -> dict[str, object]:
    """What is answered to a command; `ok` unless it says what was found and wanted. more: what the verb has to say."""
    return {"schema": SCHEMA, "verb": verb, "request": request, "ok": found is None, "found": found, "wanted": wanted,
            **more}


def outcome_payload(verb: str, outcome: Mapping[str, object] | EdgeError, *, request: str | None) -> dict[str, object]:
    """What is answered to a command by what it came to: what it did, or why it was not done."""
    if isinstance(outcome, EdgeError):
        return answer_payload(verb, request=request, found=in_line(outcome.found), wanted=in_line(outcome.wanted))
    return answer_payload(verb, request=request, more=outcome)


def in_line(text: str) -> str:
    """An error's words on one line, cut to MOST_WORDS letters."""
    line = " ".join(text.split())
    return line if len(line) <= MOST_WORDS else f"{line[:MOST_WORDS]}..."


def fields_of(thing: str, payload: bytes) -> dict[str, Any]:
    """The payload's fields. Raises CommandError for what is no flat JSON object of at most MOST_BYTES."""
    if len(payload) > MOST_BYTES:
        raise CommandError(thing, found=f"{len(payload)} bytes", wanted=f"at most {MOST_BYTES}")

    def refuse(constant: str) -> NoReturn:
        raise CommandError(thing, found=constant, wanted="numbers that JSON knows")

    try:
        fields = json.loads(payload.decode("utf-8"), parse_constant=refuse,
                            object_pairs_hook=lambda pairs: _once(thing, pairs))
    except CommandError:
        raise
    except UnicodeDecodeError as error:
        raise CommandError(thing, found=f"bytes that are no UTF-8 at {error.start}", wanted="a JSON object") from error
    except RecursionError as error:
        raise CommandError(thing, found="lists in lists, or objects in objects", wanted="a flat JSON object") from error
    except ValueError as error:  # no JSON, or a whole number of more digits than Python reads
        raise CommandError(thing, found=f"no JSON: {shown(payload.decode('utf-8'))}", wanted="a JSON object") from error
    if not isinstance(fields, dict):
        raise CommandError(thing, found=shown(fields), wanted="a JSON object")
    return fields


def _once(thing: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in [each for each, _ in pairs[:number]])
        raise CommandError(thing, found=f"the field {shown(twice)} twice", wanted="each field once")
    return fields


def _unit(value: float) -> float:
    """0 to 1; not a number counts as 0."""
    return round(min(float(value), 1.0), 4) if value > 0.0 else 0.0


def _level(dbfs: float) -> float:
    """-120 to 0; silence (-inf) and not a number count as -120."""
    return round(min(float(dbfs), 0.0), 1) if dbfs > SILENCE_DBFS else SILENCE_DBFS


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds: 2026-11-22T13:32:26.123Z (RFC 3339, section 5.6)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def encode(payload: Mapping[str, object]) -> str:
    """Compact JSON, one line. A float that JSON cannot say (NaN, inf) becomes null. Raises TypeError on odd types."""
    try:
        return _JSON.encode(payload)
    except (TypeError, ValueError):  # a mapping that is no dict, or a float that JSON cannot say: dear to look for
        return _JSON.encode(_finite(payload))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
