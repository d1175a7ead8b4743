"""What a watcher may ask, one JSON object in each packet: to be told more, or that something be done. Pure.

    {"want": ["bands"]}                     of `WANTS`; takes the place of what was wanted before
    {"command": "mute", "seconds": 600}     a verb, and the fields that it has over MQTT
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.control.commands import AT_BOARD, Command, check_verb, command_of, request_in
from edge.errors import CommandError, shown
from edge.topics import fields_of

WANTS = ("bands", "health", "pins", "sound")
"""What a watcher is told of only where it asks for it."""
WANT = "want"
"""What stands for the verb in the answer to such a request."""


@dataclass(frozen=True, slots=True)
class Want:
    """Tell this watcher of these from now on, and of no others of `WANTS`."""

    kinds: frozenset[str]
    request: str | None = None


def request_of(packet: bytes) -> Want | Command:
    """What a packet asks. Who may open the socket may command whatever there is: `[command] allow` is not asked.

    Raises CommandError, with the packet's `request` where it has a good one, for everything else.
    """
    fields = fields_of("request", packet)
    request = request_in(fields)
    if "command" not in fields:
        return _want(fields, request)
    verb = fields.pop("command")
    if not isinstance(verb, str):
        raise CommandError("command", found=shown(verb), wanted=f"one of {', '.join(AT_BOARD)}", request=request)
    check_verb(verb, AT_BOARD, request)
    return command_of(verb, fields, AT_BOARD)


def _want(fields: dict[str, object], request: str | None) -> Want:
    if "want" not in fields:
        raise CommandError("request", found="neither want nor command", wanted="one of them", request=request)
    if odd := [name for name in fields if name not in ("want", "request")]:
        raise CommandError("want", found=f"the field {shown(odd[0])}", wanted="no fields but want and request",
                           request=request)
    if "request" in fields and request is None:
        raise CommandError("want request", found=shown(fields["request"]), wanted="at most 64 printable letters")
    kinds = fields["want"]
    if not isinstance(kinds, list) or not all(isinstance(kind, str) and kind in WANTS for kind in kinds):
        unknown = next((kind for kind in kinds if kind not in WANTS), kinds) if isinstance(kinds, list) else kinds
        raise CommandError("want", found=shown(unknown), wanted=f"a list of {', '.join(WANTS)}, or of none", request=request)
    return Want(frozenset(kinds), request)
