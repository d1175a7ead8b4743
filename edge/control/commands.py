"""What may be commanded: a verb and a JSON payload in, one frozen command out, or an error that says what was wanted. Pure.

Nobody knows who sends a command, so nothing is guessed: an unknown field, another type, a field twice, a number that is none
are refused, and what is echoed of a payload is short and printable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from edge.errors import CommandError, EdgeError, shown
from edge.settings import VERBS
from edge.topics import fields_of

LONGEST_MUTE_SECONDS = 31 * 86_400.0


@dataclass(frozen=True, slots=True)
class Mute:
    """Throw the sound away before anything hears it; seconds: for so long, None: until `Unmute`.

    on: False does what `Unmute` does, for switches that have one topic only; `unmute` must be allowed for it. None, of a
    button only, does what has not been done.
    """

    request: str | None = None
    seconds: float | None = None
    on: bool | None = True


@dataclass(frozen=True, slots=True)
class Unmute:
    """Hear again."""

    request: str | None = None


@dataclass(frozen=True, slots=True)
class Identify:
    """Blink with the pins that are there for it."""

    request: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the owner says of an event. id: its beginning or end, of a button None: the newest; target: judge it as this
    one, None: as its own."""

    id: str | None
    judgement: str
    request: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """The probability that starts a target's events, over 0 to 1; None: what settings, calibration or model say."""

    target: str
    threshold: float | None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class PinTest:
    """Do once what an event makes a pin do. pin: its number or name, in any spelling that the settings may have."""

    pin: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Reload:
    """Look again at what was taught, calibrated and set."""

    request: str | None = None


Command = Mute | Unmute | Identify | Feedback | Threshold | PinTest | Reload
AT_BOARD = (*VERBS, "reload")
"""What an owner at the board may command, through the watch socket."""

Outcome = Mapping[str, object] | EdgeError
"""What a command came to: what the answer has to say beside `ok`, or why it was not done."""

Act = Callable[[Command, Callable[[Outcome], None]], bool]
"""Take a command and, later, tell its outcome once; False where too many are at work already. Returns at once."""

Check = Callable[[Any], str]
"""Checks one value of a payload: an empty text where the value will do, else what was wanted."""


_MISSING = object()
"""Stands for a field that is missing; every check refuses it, and so says what was wanted."""


def _text(shortest: int, longest: int) -> Check:
    wanted = f"a text in quotes, of {shortest} to {longest} printable letters"

    def check(value: Any) -> str:
        return "" if isinstance(value, str) and shortest <= len(value) <= longest and value.isprintable() else wanted

    return check


def _over_0(highest: float, *, or_null: bool = False) -> Check:
    wanted = f"a number over 0, at most {highest:.15g}{', or null' if or_null else ''}"

    def check(value: Any) -> str:
        if value is None and or_null:
            return ""
        return "" if type(value) in (int, float) and 0 < value <= highest else wanted  # no bool, and NaN is not over 0

    return check


def _pin(value: Any) -> str:
    if type(value) is int and 0 <= value < 1_000:  # no bool
        return ""
    return "the pin's number, or its name in quotes" if _text(1, 32)(value) else ""


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _judgement(value: Any) -> str:
    return "" if value in ("right", "wrong") else '"right" or "wrong"'


_REQUEST = {"request": _text(0, 64)}
_NAME = _text(1, 128)
SCHEMA: Mapping[str, tuple[type[Any], Mapping[str, Check], Mapping[str, Check]]] = {
    "mute": (Mute, {}, {"seconds": _over_0(LONGEST_MUTE_SECONDS), "on": _flag}),
    "unmute": (Unmute, {}, {}),
    "identify": (Identify, {}, {}),
    "feedback": (Feedback, {"id": _text(4, 36), "judgement": _judgement}, {"target": _NAME}),
    "threshold": (Threshold, {"target": _NAME, "threshold": _over_0(1.0, or_null=True)}, {}),
    "pin-test": (PinTest, {"pin": _pin}, {}),
    "reload": (Reload, {}, {}),
}
"""For each verb: what it becomes, the fields that must be there, and those that may be; `request` may always be."""


def parse(verb: str, payload: bytes, allowed: Collection[str]) -> Command:
    """The command that a payload gives with this verb; allowed: `[command] allow`.

    Raises CommandError, with the payload's `request` where it has a good one, for everything else.
    """
    check_verb(verb, allowed)
    # An empty payload is also how a retained message is deleted from a broker: nobody may mute the board by that.
    if verb == "mute" and not payload:
        raise CommandError("command mute", found="nothing",
                           wanted="{} or more, as an empty message may be meant for the broker")
    return command_of(verb, fields_of(f"command {verb}", payload) if payload else {}, allowed)


def check_verb(verb: str, allowed: Collection[str], request: str | None = None) -> None:
    """Raises CommandError for a verb that does not exist or is not allowed."""
    if verb not in SCHEMA or verb not in allowed:
        known = ", ".join(each for each in AT_BOARD if each in allowed)
        raise CommandError("command", found=f"{shown(verb)}{', which [command] allow does not list' * (verb in VERBS)}",
                           wanted=f"one of {known}" if known else "no command: [command] allow lists none", request=request)


def request_in(fields: Mapping[str, Any]) -> str | None:
    """What an answer may repeat of a payload: its `request`, where that is a good one."""
    request = fields.get("request")
    return None if request is None or _REQUEST["request"](request) else str(request)


def command_of(verb: str, fields: dict[str, Any], allowed: Collection[str]) -> Command:
    """The command that a payload's fields give with this verb, which was checked; as `parse`."""
    thing = f"command {verb}"
    kind, needed, optional = SCHEMA[verb]
    checks = {**needed, **optional, **_REQUEST}
    echo = request_in(fields)
    for name, value in fields.items():
        if name not in checks:
            raise CommandError(thing, found=f"the field {shown(name)}", wanted=_wanted(checks), request=echo)
        if wanted := checks[name](value):
            raise CommandError(f"{thing} {name}", found=shown(value), wanted=wanted, request=echo)
    for name in needed:
        if name not in fields:
            raise CommandError(f"{thing} {name}", found="nothing", wanted=f"{checks[name](_MISSING)}, in {_wanted(checks)}",
                               request=echo)
    if kind is PinTest:
        fields["pin"] = str(fields["pin"])
    command: Command = kind(**fields)
    if isinstance(command, Mute) and not command.on:
        _refuse_unmute(command, allowed)
    return command


def _refuse_unmute(command: Mute, allowed: Collection[str]) -> None:
    if "unmute" not in allowed:
        raise CommandError("command mute on", found="False", wanted="true: [command] allow does not list unmute",
                           request=command.request)
    if command.seconds is not None:
        raise CommandError("command mute seconds", found=shown(command.seconds), wanted="none beside on = false",
                           request=command.request)


def verb_of(command: Command) -> str:
    """The verb that a command came with."""
    return next(verb for verb, (kind, _, _) in SCHEMA.items() if type(command) is kind)


def _wanted(checks: Mapping[str, Check]) -> str:
    return f"an object with no fields but {', '.join(checks)}"
