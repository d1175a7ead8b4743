"""A line that stalls, and a broker that refuses and then accepts."""

from __future__ import annotations

from tests.faults.account import Account
from tests.faults.appliance import Appliance
from tests.faults.bench import Bench, bench

KEEPALIVE_SECONDS = 5
STALL_SECONDS = 12.0
"""Longer than a keepalive takes to notice it."""


def line_stalled(seed: str, times: int = 3) -> Account:
    """The tap reads nothing for so long that the keepalive breaks the connection; then all that it held goes through."""
    with bench(seed) as one:
        one.appliance = Appliance(one.folder, one.tap.port, keepalive_seconds=KEEPALIVE_SECONDS)
        one.appliance.start()
        for _ in range(times):
            one.wait_for_messages(5)
            accepted = one.tap.accepted
            one.tap.stall()
            one.appliance.wait(lambda accepted=accepted: one.tap.accepted > accepted)
            one.some_seconds(STALL_SECONDS)
            one.tap.flow()
        one.wait_for_messages(5)
        return one.account("line stalled", times)


def acknowledgements_swallowed(seed: str, times: int = 2) -> Account:
    """The broker gets all and acknowledges nothing, until it does: what it has comes again, under the same ids."""
    with bench(seed) as one:
        one.appliance.start()
        for _ in range(times):
            one.wait_for_newer()
            one.tap.swallowing = True
            one.appliance.wait_for_events(40)
            one.tap.swallowing = False
            one.tap.cut()
        one.wait_for_newer()
        return one.account("acknowledgements swallowed, then not", times)


def connections_refused(seed: str, times: int = 3) -> Account:
    """Nobody listens; then somebody does."""
    with bench(seed) as one:
        one.appliance.start()
        for _ in range(times):
            one.wait_for_messages(5)
            one.tap.shut()
            one.some_seconds(5.0)
            one.tap.open()
        one.wait_for_messages(5)
        return one.account("connection refused, then accepted", times)


def password_refused(seed: str, times: int = 1) -> Account:
    """The broker does not know the password; then the file is mended, without a restart."""
    with bench(seed, password="right") as one:
        one.appliance = Appliance(one.folder, one.tap.port, user="edge")
        _write_password(one, "wrong")
        one.appliance.start()
        one.appliance.wait_said("refused")
        one.appliance.wait_for_events(25)
        _write_password(one, "right")
        one.wait_for_messages(40)
        return one.account("wrong password, then the right one", times)


def messages_refused(seed: str, times: int = 1) -> Account:
    """The broker's access rules allow no event; then a broker comes that allows them."""
    with bench(seed, rules="topic read #\ntopic write edge-audio/+/status\n") as one:
        one.appliance.start()
        one.appliance.wait_said("refuses messages")
        one.appliance.wait_for_events(25)
        one.kill_broker()
        one.rules.write_text("topic readwrite #\n")
        one.start_broker()
        one.wait_for_messages(40)
        return one.account("messages not authorised, then accepted", times)


def _write_password(one: Bench, password: str) -> None:
    one.appliance.password_file.touch(mode=0o600)
    one.appliance.password_file.write_text(password + "\n")
