"""The package where systemd runs: it starts the service, restarts it at an upgrade, and stops it. `make deb-test`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.debian.machine import Machine
from tests.debian.test_debian_package import INSTALLS, given_packages
from tests.debian_root import SETTINGS, Root, fresh_root

pytestmark = pytest.mark.slow

SERVICE, ATTIC, PAGE = "edge-audio.service", "edge-audio@attic.service", "edge-audio-page.service"


@pytest.fixture(scope="module")
def packages() -> list[str]:
    return given_packages(fresh_root())


@pytest.fixture(scope="module")
def machine(packages: list[str]) -> Iterator[Machine]:
    """The root with what the package needs in it, running."""
    root: Root = fresh_root()
    root.run("apt-get", "update")
    root.run(*INSTALLS, "python3-pyaudio")
    with Machine(root.folder) as machine:
        yield machine


def test_installing_starts_it(machine: Machine, packages: list[str]) -> None:
    machine.run(*INSTALLS, packages[0])
    assert machine.run("systemctl", "is-active", SERVICE) == "active"
    assert machine.run("systemctl", "is-enabled", SERVICE) == "enabled"
    assert machine.shown(SERVICE, "StatusText") == "hearing hand_clap; microphone: none at all"
    assert machine.run("stat", "-c", "%U", f"/proc/{machine.shown(SERVICE, 'MainPID')}") == "edge-audio"
    assert machine.run("stat", "-c", "%U %a", "/var/lib/edge-audio") == "edge-audio 700"


def test_another_microphone_is_an_instance(machine: Machine) -> None:
    machine.run("cp", SETTINGS, "/etc/edge-audio/attic.toml")
    machine.run("systemctl", "enable", "--now", ATTIC)
    assert machine.run("systemctl", "is-active", ATTIC) == "active"


def test_the_page_waits_for_who_enables_it(machine: Machine) -> None:
    assert machine.run("systemctl", "is-active", PAGE, code=3) == "inactive"
    machine.run("systemctl", "enable", "--now", PAGE)
    assert machine.run("systemctl", "is-active", PAGE) == "active"


def test_a_reload_takes_up_new_settings(machine: Machine) -> None:
    machine.run("sed", "-i", "s/hand_clap/typing/", SETTINGS)
    before = machine.shown(SERVICE, "MainPID")
    machine.run("systemctl", "reload", SERVICE)
    assert machine.shown(SERVICE, "MainPID") == before
    log = machine.run("journalctl", "--no-pager", "-u", SERVICE)
    assert "hearing typing" in log, log[-2000:]


def test_an_upgrade_restarts_all(machine: Machine, packages: list[str]) -> None:
    before = [machine.shown(unit, "MainPID") for unit in (SERVICE, ATTIC, PAGE)]
    machine.run(*INSTALLS, packages[1])
    after = [machine.shown(unit, "MainPID") for unit in (SERVICE, ATTIC, PAGE)]
    assert not set(before) & set(after) and "0" not in after
    assert machine.run("systemctl", "is-active", SERVICE, ATTIC, PAGE).split() == ["active"] * 3
    assert machine.shown(SERVICE, "StatusText").startswith("hearing typing")


def test_a_stopped_one_stays_stopped_at_an_upgrade(machine: Machine, packages: list[str]) -> None:
    """An instance that nobody started is none of ours; a disabled service is not started by an upgrade."""
    machine.run("systemctl", "disable", "--now", SERVICE)
    machine.run("systemctl", "stop", ATTIC, PAGE)
    machine.run(*INSTALLS, "--reinstall", packages[1])
    assert machine.run("systemctl", "is-active", SERVICE, ATTIC, PAGE, code=3).split() == ["inactive"] * 3
    machine.run("systemctl", "enable", "--now", SERVICE)
    machine.run("systemctl", "start", ATTIC, PAGE)


def test_removing_stops_all_and_purging_leaves_no_link(machine: Machine) -> None:
    machine.run("apt-get", "remove", "-y", "edge-audio")
    # On a machine that is busy enough ExecStopPost takes longer than TimeoutStopSec: that is "failed", and over as well.
    assert {machine.shown(unit, "ActiveState") for unit in (SERVICE, ATTIC, PAGE)} <= {"inactive", "failed"}
    assert not machine.run("find", "/sys/fs/cgroup", "-name", "*edge-audio*.service")
    machine.run("apt-get", "purge", "-y", "edge-audio")
    assert not machine.run("find", "/etc", "/var/lib", "-name", "*edge-audio*")
