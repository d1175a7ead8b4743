"""Other programs judge: cloud-init the files that we say Imager writes, netplan and visudo what we make of them.

Run by `make test-first-start`, which installs cloud-init, netplan and sudo.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.image.first_start.network import as_netplan
from tests.image import imager
from tests.image.first_start.card import Card

pytestmark = pytest.mark.slow

BOOT = Path(__file__).resolve().parents[3] / "deploy" / "image" / "boot"
DIGITS = imager.psk("correct horse", "Home")
USER_DATA = {
    "nothing": imager.user_data(), "host": imager.user_data(host="kitchen"),
    "key": imager.user_data(host="kitchen", user="anna", keys=[imager.key("a"), imager.key("b")]),
    "all": imager.user_data(host="kitchen", user="anna", hashed=imager.password_hash("a"), keys=[imager.key("a")],
                            password_login=True),
    "imager 1": imager.user_data_1(host="kitchen", user="anna", hashed="$5$saltsalt$abcdefghijk", keys=[imager.key("a")]),
    "stub": re.sub(r"^# (?=[a-z -])", "", (BOOT / "user-data").read_text(), flags=re.MULTILINE),
}
NETWORKS = {
    "wired": imager.network_config(), "Wi-Fi": imager.network_config("Home", DIGITS), "open": imager.network_config("Open"),
    "hidden": imager.network_config("Home", DIGITS, hidden=True), "imager 1": imager.network_config_1("Home", DIGITS),
    "odd name": imager.network_config('Caf\\u00e9 \\"5\\" \\\\', DIGITS),
    "fixed": "network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [192.0.2.7/24]\n      nameservers:\n"
             "        addresses: [192.0.2.1]\n      routes:\n      - {to: default, via: 192.0.2.1}\n",
    "stub": re.sub(r"^# (?=[a-z ])", "", (BOOT / "network-config").read_text(), flags=re.MULTILINE),
}


def program(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: make test-first-start installs it")
    return found


def netplan_judges(card: Card) -> Path:
    """Put this machine's netplan into the card's root."""
    program("netplan")
    target = card.places.netplan_generate
    target.parent.mkdir(parents=True)
    target.symlink_to("/usr/libexec/netplan/generate")
    return target


@pytest.mark.parametrize("name", USER_DATA)
def test_what_we_say_imager_writes_is_cloud_config(tmp_path: Path, name: str) -> None:
    file = tmp_path / "user-data"
    file.write_text(USER_DATA[name])
    done = subprocess.run([program("cloud-init"), "schema", "--config-file", file], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NETWORKS)
def test_netplan_takes_what_we_make_of_a_network(card: Card, tmp_path: Path, name: str) -> None:
    netplan = netplan_judges(card)
    card.write(network_config=NETWORKS[name], cmdline=imager.CMDLINE)
    assert card.take() and card.apply() == 0, card.report
    root = tmp_path / "generated"
    file = root / "etc" / "netplan" / "90-owner.yaml"
    file.parent.mkdir(parents=True)
    file.write_bytes(card.places.netplan.read_bytes())
    file.chmod(0o600)
    done = subprocess.run([netplan, "--root-dir", root], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_text() for path in (root / "run").rglob("*") if path.is_file()}
    if name == "fixed":
        assert "Address=192.0.2.7/24" in made["10-netplan-eth0.network"]
    else:
        ports = [text for path, text in made.items() if path.endswith(".network")]
        assert ports and all("ClientIdentifier=mac" in text for text in ports)
    supplicants = [text for path, text in made.items() if path.startswith("wpa-")]
    assert bool(supplicants) == (name not in ("wired", "fixed"))
    for text in supplicants:
        assert "country=GB" in text or name == "stub", text
        assert DIGITS in text or "key_mgmt=NONE" in text or name == "stub", text


def test_netplan_refuses_and_the_former_network_stays(card: Card) -> None:
    netplan_judges(card)
    card.write(network_config=NETWORKS["Wi-Fi"])
    assert card.take()
    before = card.kept()
    wrong = NETWORKS["Wi-Fi"].replace("dhcp6: true", "dhcp6: perhaps").replace(DIGITS, "geheimes Wort")
    card.write(network_config=wrong)
    assert not card.take()
    assert card.kept() == before and "what netplan does not take" in card.report and "perhaps" in card.report
    assert "geheimes" not in card.report and card.read("network-config") == wrong


def test_nobody_else_s_network_is_made_of_nothing() -> None:
    assert as_netplan({}).decode().split() == ['"network":', '"version":', '"2"']


def test_visudo_understands_every_rule(card: Card) -> None:
    visudo = program("visudo")
    card.write(user_data=USER_DATA["key"])
    assert card.take() and card.apply() == 0
    rules = list((card.places.run / "sudoers.d").iterdir())
    assert rules
    for path in rules:
        subprocess.run([visudo, "-c", "-f", path], check=True, capture_output=True)
