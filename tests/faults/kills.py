"""Kill -9 at random moments: of the appliance, of the broker, of both."""

from __future__ import annotations

from tests.faults.account import Account
from tests.faults.bench import Bench, bench


def appliance_killed(seed: str, times: int = 100) -> Account:
    """The first kill comes once a message has arrived. Of the others half come at any moment from the start on, half
    while events flow."""
    with bench(seed) as one:
        for number in range(times):
            one.appliance.start()
            if number == 0:
                one.wait_for_messages()
            elif one.chance.random() < 0.5:
                one.appliance.wait_for_events()
            one.some_seconds(1.5)
            one.kill_appliance()
        return one.account("kill -9 of the appliance", times)


def broker_killed(seed: str, times: int = 50) -> Account:
    """While messages flow; it comes back with no memory of what it had."""
    with bench(seed) as one:
        one.appliance.start()
        for _ in range(times):
            one.wait_for_messages()
            one.some_seconds(1.0)
            one.kill_broker()
            one.some_seconds(0.5)
            one.start_broker()
        return one.account("kill -9 of the broker", times)


def appliance_stopped(seed: str, times: int = 5) -> Account:
    """SIGTERM, as of systemd, while the broker is away, and the next start."""
    with bench(seed) as one:
        for _ in range(times):
            one.appliance.start()
            one.wait_for_newer()
            one.tap.shut()
            one.appliance.wait_for_events(8)
            one.stop_appliance()
            one.tap.open()
        return one.account("SIGTERM while the broker is away", times)


def both_killed(seed: str, times: int = 15) -> Account:
    """The appliance dies and comes back while the broker is away: what waits is in the journal only."""
    with bench(seed) as one:
        for _ in range(times):
            one.appliance.start()
            one.wait_for_messages()
            one.kill_broker()
            _restarts(one)
            one.start_broker()
            one.some_seconds(1.0)
            one.kill_appliance()
        return one.account("kill -9 of both", times)


def _restarts(one: Bench) -> None:
    for _ in range(one.chance.randint(1, 3)):
        one.some_seconds(1.0)
        one.kill_appliance()
        one.appliance.start()
