"""`apply`: this boot as the record says. Here the files that it makes; mounts and services are tried on the booted image."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.image.first_start.grow import grow_partition, size_of
from tests.image import imager
from tests.image.first_start.card import GROUP, PASSWD, Card

pytestmark = pytest.mark.big


def owned(card: Card, **more: object) -> Card:
    card.write(user_data=imager.user_data(host="kitchen", user="anna", hashed=imager.password_hash("a"),
                                          keys=[imager.key("laptop")], password_login=bool(more)))
    assert card.take() and card.apply() == 0
    return card


def test_an_empty_data_partition_gets_its_folders_and_the_board_starts_without_an_owner(card: Card) -> None:
    assert card.take() and card.apply() == 0
    assert {path.name for path in card.places.data.iterdir()} == {
        "system", "etc-edge-audio", "state", "systemd", "rauc", "ssh", "alsa", "home"}
    assert card.places.settings.exists() and stat.S_IMODE(card.places.credentials.stat().st_mode) == 0o700
    assert card.places.password.read_bytes() == b"" and stat.S_IMODE(card.places.password.stat().st_mode) == 0o600
    assert card.made("etc/hostname") == "edge-audio\n" and card.made("etc/passwd") == PASSWD
    assert not (card.places.run / "ssh-on").exists() and not card.places.netplan.exists()
    assert not list(card.places.host_keys.iterdir())


def test_host_name_and_time_zone(card: Card) -> None:
    owned(card)
    assert card.made("etc/hostname") == "kitchen\n" and "127.0.1.1 kitchen\n" in card.made("etc/hosts")
    assert str((card.places.run / "localtime").readlink()) == "/usr/share/zoneinfo/Europe/London"
    (card.places.zones / "Europe" / "London").unlink()  # another slot, which does not know the zone
    assert card.apply() == 1
    assert str((card.places.run / "localtime").readlink()) == "/usr/share/zoneinfo/Etc/UTC"


def test_users_stand_after_the_slot_s_own(card: Card) -> None:
    owned(card)
    assert card.made("etc/passwd") == f"{PASSWD}anna:x:1000:1000::/home/anna:/bin/bash\n"
    assert f"anna:{imager.password_hash('a')}::0:99999:7:::\n" in card.made("etc/shadow")
    assert "sudo:x:27:anna\n" in card.made("etc/group") and "audio:x:29:edge-audio,anna\n" in card.made("etc/group")
    assert card.made("etc/group").endswith("anna:x:1000:\n") and "sudo:*::anna\n" in card.made("etc/gshadow")
    assert stat.S_IMODE((card.places.run / "etc" / "shadow").stat().st_mode) == 0o640
    assert card.made("keys/anna") == f"{imager.key('laptop')}\n"
    assert not (card.places.run / "sudoers.d" / "anna").exists()  # the group sudo, with the password


def test_a_slot_with_other_users_of_its_own_is_not_hidden_by_what_an_older_one_knew(card: Card) -> None:
    owned(card)
    (card.places.etc / "passwd").write_text(f"{PASSWD}newcomer:x:989:989::/:/bin/false\n")
    assert card.apply() == 0
    assert "newcomer:x:989" in card.made("etc/passwd") and "anna:x:1000" in card.made("etc/passwd")
    (card.places.etc / "passwd").write_text(f"{PASSWD}anna:x:988:988::/:/bin/false\n")
    assert card.apply() == 1
    assert card.made("etc/passwd").count("anna:") == 1 and "anna" not in card.made("etc/group")
    assert card.made("etc/group") == GROUP


def test_a_home_is_made_once_from_the_skeleton(card: Card) -> None:
    owned(card)
    home = card.places.homes / "anna"
    assert (home / ".profile").read_text() == "# profile\n" and stat.S_IMODE(home.stat().st_mode) == 0o700
    (home / ".profile").write_text("# my own\n")
    card.apply()
    assert (home / ".profile").read_text() == "# my own\n"


def test_a_name_keeps_its_number(card: Card) -> None:
    owned(card)
    card.write(user_data=f"#cloud-config\nusers:\n- name: bert\n  ssh_authorized_keys: ['{imager.key('b')}']\n")
    assert card.take() and card.apply() == 0
    assert "anna" not in card.made("etc/passwd") and "bert:x:1001:1001:" in card.made("etc/passwd")
    assert card.made("sudoers.d/bert") == "bert ALL=(ALL:ALL) NOPASSWD: ALL\n"
    assert not (card.places.run / "keys" / "anna").exists()
    card.write(user_data="#cloud-config\nuser: anna\n")
    assert card.take() and card.apply() == 0
    assert "anna:x:1000:1000:" in card.made("etc/passwd")


def test_sudoers_rules_are_understood(card: Card, tmp_path: Path) -> None:
    card.write(user_data="#cloud-config\nusers:\n- {name: a, sudo: 'ALL=(ALL) NOPASSWD:ALL'}\n"
               f"- {{name: b, groups: audio, sudo: 'ALL=(ALL) ALL', lock_passwd: no, passwd: {imager.password_hash('b')}}}\n"
               "- {name: c, sudo: false}\n")
    assert card.take() and card.apply() == 0
    rules = {path.name: path.read_text() for path in (card.places.run / "sudoers.d").iterdir()}
    assert rules == {"a": "a ALL=(ALL:ALL) NOPASSWD: ALL\n", "b": "b ALL=(ALL:ALL) ALL\n"}
    assert "sudo:x:27:a\n" in card.made("etc/group")


@pytest.mark.parametrize(("password_login", "word"), [(False, "no"), (True, "yes")])
def test_ssh_starts_with_a_key(card: Card, password_login: bool, word: str) -> None:
    owned(card, **{"password_login": True} if password_login else {})
    assert (card.places.run / "ssh-on").exists()
    assert card.made("sshd.conf") == f"PasswordAuthentication {word}\nAllowUsers anna\n"
    keys = {path.name: path.read_bytes() for path in card.places.host_keys.iterdir()}
    assert keys.keys() == {f"ssh_host_{kind}_key{end}" for kind in ("ed25519", "ecdsa") for end in ("", ".pub")}
    assert stat.S_IMODE((card.places.host_keys / "ssh_host_ed25519_key").stat().st_mode) == 0o600
    (card.places.host_keys / ".new_ecdsa").touch()  # a power cut left these
    (card.places.host_keys / "ssh_host_ecdsa_key").unlink()
    assert card.apply() == 0
    again = {path.name: path.read_bytes() for path in card.places.host_keys.iterdir()}
    assert again.keys() == keys.keys() and again["ssh_host_ed25519_key"] == keys["ssh_host_ed25519_key"]
    public = subprocess.run(["ssh-keygen", "-y", "-f", card.places.host_keys / "ssh_host_ecdsa_key"], capture_output=True,
                            check=True).stdout
    assert again["ssh_host_ecdsa_key.pub"].split()[:2] == public.split()[:2]
    card.write(user_data="#cloud-config\nssh_authorized_keys: []\n")
    assert card.take() and card.apply() == 0 and not (card.places.run / "ssh-on").exists()


def test_the_machine_id_is_made_once(card: Card) -> None:
    assert card.apply() == 0
    first = card.made("etc/machine-id")
    assert len(first) == 33 and card.apply() == 0 and card.made("etc/machine-id") == first
    (card.places.system / "machine-id").write_text("")
    assert card.apply() == 0 and len(card.made("etc/machine-id")) == 33


def test_the_network_is_netplan_s_with_dhcp_by_the_port_s_own_address(card: Card) -> None:
    card.write(network_config=imager.network_config('Caf\\xc3\\xa9 \\"5\\"', "0123456789abcdef" * 4, hidden=True))
    assert card.take() and card.apply() == 0
    assert stat.S_IMODE(card.places.netplan.stat().st_mode) == 0o600
    made = yaml.safe_load(card.places.netplan.read_bytes())["network"]
    assert made["ethernets"]["eth0"] == {"dhcp4": "true", "dhcp6": "true", "optional": "true", "dhcp-identifier": "mac"}
    point, = made["wifis"]["wlan0"]["access-points"].values()
    assert point == {"hidden": "true", "password": "0123456789abcdef" * 4}
    card.write(network_config="network: {version: 2}\n")
    assert card.take() and card.apply() == 0 and not card.places.netplan.exists()


def test_the_country_of_the_command_line_serves_a_network_without_one(card: Card) -> None:
    card.write(network_config=imager.network_config_1("Home", "0" * 64), cmdline=imager.CMDLINE)
    assert card.take() and card.apply() == 0
    assert yaml.safe_load(card.places.netplan.read_bytes())["network"]["wifis"]["wlan0"]["regulatory-domain"] == "GB"


def test_one_step_that_fails_keeps_no_other_from_being_done(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    owned(card)
    (card.places.etc / "gshadow").unlink()
    card.places.netplan.parent.mkdir(parents=True)
    (card.places.run / "etc" / "hostname").unlink()
    assert card.apply() == 1
    assert "first start: users: " in capsys.readouterr().err
    assert card.made("etc/hostname") == "kitchen\n" and (card.places.run / "ssh-on").exists()


def test_a_record_that_is_nonsense_starts_the_board_all_the_same(card: Card) -> None:
    card.places.system.mkdir()
    card.places.record.write_text(json.dumps({
        "users": [{"name": 5}, 7, {"name": "a", "uid": "b"}], "network": [], "country": 3, "host_name": {}, "files": 5,
        "uids": "x", "time_zone": ["UTC"]}))
    assert card.apply() == 0 and card.made("etc/hostname") == "edge-audio\n"
    card.write(user_data=imager.user_data(host="kitchen", user="anna"), network_config=imager.network_config())
    assert card.take() and card.apply() == 0 and card.made("etc/hostname") == "kitchen\n"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An image of 64 MiB: four partitions as on the card, and room behind the last."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    parts = "label: dos\nlabel-id: 0x1234abcd\nstart=2048,size=8192,type=c\n" + "size=8192,type=83\n" * 3
    subprocess.run(["sfdisk", "-q", path], input=parts, text=True, check=True)
    return path


def test_the_last_partition_grows_to_the_end_once(disk: Path) -> None:
    before = disk.read_bytes()
    assert grow_partition(disk, 4)
    table = json.loads(subprocess.run(["sfdisk", "--json", disk], capture_output=True, check=True).stdout)["partitiontable"]
    last = table["partitions"][3]
    assert (last["start"] + last["size"]) * 512 == size_of(disk) and table["id"] == "0x1234abcd"
    after = disk.read_bytes()
    assert before[512:] == after[512:], "one sector is written, whole or not at all"
    assert not grow_partition(disk, 4) and disk.read_bytes() == after


def test_only_the_last_partition_grows(disk: Path) -> None:
    assert not grow_partition(disk, 3)
    with pytest.raises(OSError, match="found no partition 5; wanted one"):
        grow_partition(disk, 5)
