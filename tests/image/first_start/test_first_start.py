"""`take`: what an owner or Raspberry Pi Imager wrote on the boot partition, kept and reported."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from deploy.image.first_start import network
from tests.image import imager
from tests.image.first_start.card import Card

STUBS = Path(__file__).resolve().parents[3] / "deploy" / "image" / "boot"


def test_only_wifi(card: Card) -> None:
    digits = imager.psk("correct horse", "Home")
    card.write(user_data=imager.user_data(host="kitchen"), meta_data=imager.META_DATA,
               network_config=imager.network_config("Home", digits))
    assert card.take()
    record = card.record
    assert record["host_name"] == "kitchen" and record["time_zone"] == "Europe/London" and record["country"] == "GB"
    assert record["network"]["wifis"]["wlan0"]["access-points"] == {"Home": {"password": digits}}
    assert "users" not in record
    assert "Wi-Fi 'Home' on wlan0" in card.report and "host name kitchen" in card.report and "NOT TAKEN" not in card.report
    assert "keyboard: no keyboard layout is set" in card.report and "packages:" in card.report and "apt:" in card.report


def test_user_password_and_key(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen", user="anna", hashed=imager.password_hash("a"),
                                          keys=[imager.key("laptop")], password_login=True))
    assert card.take()
    user, = card.record["users"]
    assert user["name"] == "anna" and user["uid"] == 1000 and user["sudo"] == "password"
    assert user["hash"] == imager.password_hash("a") and user["keys"] == [imager.key("laptop")]
    assert card.record["password_login"] is True
    assert "user anna: a password, sudo with the password, ssh keys: ssh-ed25519 laptop" in card.report


def test_a_key_alone_starts_ssh_and_a_password_alone_does_not(card: Card) -> None:
    card.write(user_data=imager.user_data(user="anna", keys=[imager.key("laptop")]))
    assert card.take() and "ssh stays off" not in card.report
    assert card.record["users"][0]["sudo"] == "free" and not card.record["users"][0]["hash"]
    card.write(user_data=imager.user_data(user="anna", hashed=imager.password_hash("a"), password_login=True))
    assert card.take() and "ssh stays off: it starts only where a key is given" in card.report


def test_imager_1(card: Card) -> None:
    digits = imager.psk("correct horse", "Home")
    card.write(user_data=imager.user_data_1(host="pi", user="pi", hashed="$5$saltsalt$abcdefghijk", keys=[imager.key("k")]),
               network_config=imager.network_config_1("Home", digits), cmdline=imager.CMDLINE)
    assert card.take()
    assert card.record["users"][0]["sudo"] == "free" and card.record["users"][0]["hash"].startswith("$5$")
    assert card.record["network"]["wifis"]["wlan0"]["access-points"]["Home"]["password"] == digits
    assert card.record["country"] == "GB"


def test_stubs_set_nothing_and_are_all_well(card: Card) -> None:
    names = {path: "settings" if path.suffix else path.name.replace("-", "_") for path in STUBS.iterdir()}
    card.write(**{name: path.read_text() for path, name in names.items()})
    assert card.take()
    assert not {"host_name", "users", "time_zone"} & card.record.keys()
    assert "Everything that was understood was taken." in card.report


def test_keys_for_nobody_are_of_pi_and_a_host_name_may_stand_in_meta_data(card: Card) -> None:
    card.write(user_data=f"#cloud-config\nssh_authorized_keys:\n- {imager.key('k')}\n",
               meta_data="local-hostname: shed.example\n")
    assert card.take()
    assert card.record["users"][0]["name"] == "pi" and card.record["host_name"] == "shed"
    card.write(user_data="#cloud-config\nhostname: attic\n")
    assert card.take() and card.record["host_name"] == "attic" and card.record["users"][0]["keys"] == [imager.key("k")]


def test_broken_yaml_is_reported_by_its_line_and_nothing_is_lost(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen"))
    assert card.take()
    before = card.kept()
    card.write(user_data="#cloud-config\nhostname: attic\n  timezone: Europe/London\npasswd: 'geheim\n")
    assert not card.take()
    assert card.kept() == before
    assert "user-data NOT TAKEN: line 3" in card.report and "geheim" not in card.report
    assert "What was not taken stays as it was before" in card.report


@pytest.mark.parametrize(("text", "said"), [
    ("hostname: my kitchen", "line 2, hostname: found 'my kitchen'; wanted up to 63 letters"),
    ("timezone: Europe/Nowhere", "line 2, timezone: found 'Europe/Nowhere'; wanted a time zone such as Europe/Berlin"),
    ("ssh_pwauth: maybe", "line 2, ssh_pwauth: found 'maybe'; wanted true or false"),
    ("users:\n- name: root", "line 3, users: name: found 'root'"),
    ("users:\n- name: edge-audio", "line 3, users: name: found 'edge-audio'"),
    ("users:\n- name: gpio", "line 3, users: name: found 'gpio'; wanted one that the system has no use for"),
    ("users:\n- name: Anna", "line 3, users: name: found 'Anna'; wanted a name of small letters"),
    ("users:\n- name: anna\n  passwd: hunter2", "line 4, users: passwd: found a text of 7 letters that is no hash"),
    ("users:\n- name: anna\n  plain_text_passwd: hunter2", "line 4, plain_text_passwd: found a password in plain words"),
    ("users:\n- name: anna\n  sudo: anna ALL=NOPASSWD:/bin/ls", "line 4, users: sudo: found 'anna ALL=NOPASSWD:/bin/ls'"),
    ("users:\n- name: anna\n  shell: /bin/fish", "line 4, users: shell: found '/bin/fish'"),
    ("ssh_authorized_keys:\n- ssh-ed25519 AAAA me", "line 3, ssh_authorized_keys: found a text of 19 letters that is no"),
    ("a: &a [1]\nb: *a", "line 3: found an alias (*name)"),
    ("hostname: a\nhostname: b", "line 3, 'hostname': found this key again; wanted each key once"),
    ("- a list", "line 2: found no keys; wanted key: value"),
])
def test_what_is_wrong_is_named_with_line_key_found_and_wanted(card: Card, text: str, said: str) -> None:
    card.write(user_data=f"#cloud-config\n{text}\n")
    assert not card.take()
    assert f"NOT TAKEN: {said}" in card.report and "hunter2" not in card.report


@pytest.mark.parametrize(("text", "said"), [
    ("network: {version: 3}", "line 1, network: version: found '3'; wanted 2"),
    (imager.network_config("x" * 33, "0" * 64), "line 14, wlan0: access-points: found a name of 33 bytes"),
    (imager.network_config("Home", "short"), "line 14, wlan0: password: found 5 letters; wanted 8 to 63, or 64 digits"),
    (imager.network_config("Home", "x" * 64), "wlan0: password: found the mark of a password taken before, and none was"),
    (imager.network_config("Home", "0" * 64, country="Germany"), "wlan0: regulatory-domain: found 'Germany'; wanted two"),
])
def test_what_is_wrong_with_a_network(card: Card, text: str, said: str) -> None:
    card.write(network_config=text)
    assert not card.take()
    assert said in card.report


def test_what_is_not_understood_is_named(card: Card) -> None:
    card.write(user_data="#cloud-config\nhostnam: kitchen\nwrite_files: [{path: /x, content: geheim}]\nruncmd: [reboot]\n",
               network_config="network: {version: 2, bridges: {br0: {}}}", meta_data="instance-id: 1\npublic-keys: []\n")
    assert card.take()
    assert "line 2, hostnam: not understood (did you mean hostname?)" in card.report
    assert "line 4, runcmd: no commands are run" in card.report and "line 1, bridges: not used" in card.report
    assert "public-keys" in card.report and "geheim" not in card.report


def test_files_of_other_systems_are_named(card: Card) -> None:
    for name in ("firstrun.sh", "custom.toml", "wpa_supplicant.conf", "userconf.txt", "ssh"):
        (card.places.boot / name).write_text("password=geheim\n")
    assert card.take()
    assert "firstrun.sh: Raspberry Pi Imager wrote this for another kind of system: choose the image by" in card.report
    assert "ssh: not needed" in card.report and "userconf.txt: not read" in card.report and "geheim" not in card.report


def test_an_unchanged_start_writes_nothing_and_says_the_same(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen", user="anna", hashed=imager.password_hash("a")), settings="")
    assert card.take()
    files = {path: path.stat().st_mtime_ns for path in [card.places.report, card.places.record, card.places.settings]}
    report = card.report
    assert card.take() and card.report == report
    assert files == {path: path.stat().st_mtime_ns for path in files}


def test_a_file_that_is_edited_again_is_taken_again_and_one_that_is_gone_changes_nothing(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen"), network_config=imager.network_config("Home", "0" * 64))
    assert card.take()
    card.write(user_data=card.read("user-data").replace("kitchen", "attic"))
    (card.places.boot / "network-config").unlink()
    assert card.take()
    assert card.record["host_name"] == "attic" and card.record["network"]["wifis"]


def test_the_record_is_for_root_alone_and_keys_of_a_newer_slot_stay(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen", user="anna", keys=[imager.key("k")]))
    assert card.take()
    assert stat.S_IMODE(card.places.record.stat().st_mode) == 0o600
    newer = card.record
    newer.update(schema=7, colour="green")
    newer["users"][0]["avatar"] = "cat"
    card.places.record.write_text(json.dumps(newer))
    card.write(user_data=imager.user_data(host="attic", user="anna", keys=[imager.key("k")]))
    assert card.take()
    assert card.record["colour"] == "green" and card.record["users"][0]["avatar"] == "cat"
    assert card.record["host_name"] == "attic" and card.record["schema"] == 1


def test_a_record_that_cannot_be_read_is_put_aside_and_said(card: Card) -> None:
    card.places.system.mkdir(parents=True)
    card.places.record.write_text("{")
    card.write(user_data=imager.user_data(host="kitchen"))
    assert card.take()
    assert card.record["host_name"] == "kitchen" and (card.places.system / "settings.json.broken").read_text() == "{"
    assert "former settings could not be read" in card.report


def test_a_netplan_that_does_not_answer_is_asked_at_the_next_start(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SECONDS", 0.2)
    program = card.places.netplan_generate
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexec sleep 20\n")
    program.chmod(0o755)
    card.write(network_config=imager.network_config("Home", imager.psk("correct horse", "Home")))
    assert not card.take()
    assert "no way to check it (netplan: no answer in 0.2 s)" in card.report and not card.record["network"]
    program.write_text("#!/bin/sh\n")
    assert card.take() and "Wi-Fi 'Home' on wlan0" in card.report
