"""Passwords leave the boot partition when they are safe, whenever the power fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from deploy.image.first_start import durable
from edge.page.password import load_password
from tests.image import imager
from tests.image.first_start.card import Card

HASH, DIGITS, BROKER, PAGE = imager.password_hash("a"), imager.psk("correct horse", "Home"), "the broker's own", "the_page's"
SETTINGS = (f'[mqtt]\nhost = "broker"\nuser = "anna"\npassword = "{BROKER}"  # mine\n\n[[target]]\nname = "hand_clap"\n'
            f'[page]\npassword = "{PAGE}"\n')
KEYS = [imager.key("laptop")]


def fill(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen", user="anna", hashed=HASH, keys=KEYS), settings=SETTINGS,
               network_config=imager.network_config("Home", DIGITS), meta_data=imager.META_DATA)


def secrets_on(folder: Path) -> set[str]:
    found = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    return {secret for secret in (HASH, DIGITS, BROKER, PAGE) if secret.encode() in found}


def test_they_are_replaced_in_their_place_and_the_rest_stays(card: Card) -> None:
    fill(card)
    sizes = {path.name: path.stat().st_size for path in card.places.boot.iterdir()}
    numbers = {path.name: path.stat().st_ino for path in card.places.boot.iterdir()}
    assert card.take()
    assert not secrets_on(card.places.boot)
    assert card.read("edge-audio.toml") == SETTINGS.replace(BROKER, "xxx xxxxxxxx xxx").replace(PAGE, "xxxxxxxxxx")
    assert card.read("user-data") == imager.user_data(host="kitchen", user="anna", hashed="x" * len(HASH), keys=KEYS)
    assert card.read("network-config") == imager.network_config("Home", "x" * 64)
    for path in card.places.boot.iterdir():
        if path.name in sizes:  # the same clusters: a new file would leave the old bytes on the card
            assert (path.stat().st_size, path.stat().st_ino) == (sizes[path.name], numbers[path.name])


def test_the_broker_s_password_becomes_a_credential(card: Card) -> None:
    fill(card)
    assert card.take()
    assert card.places.password.read_text() == f"{BROKER}\n" and card.places.password.stat().st_mode & 0o777 == 0o600
    assert card.places.settings.read_text() == SETTINGS.replace(
        f'password = "{BROKER}"', 'password_credential = "mqtt-password"').replace(
        f'password = "{PAGE}"', 'bind = "0.0.0.0"')
    assert "the broker's password; it is no longer in this file" in card.report and BROKER not in card.report


def test_an_x_means_as_before(card: Card) -> None:
    fill(card)
    assert card.take()
    before = card.kept()
    for name in ("user-data", "network-config", "edge-audio.toml"):
        path = card.places.boot / name
        path.write_text(path.read_text() + "# read once more\n")
    assert card.take()
    after = card.kept()
    assert after.pop("settings") == before.pop("settings") + b"# read once more\n"
    assert after.pop("settings_latest") != before.pop("settings_latest") and after == before


def test_a_new_password_of_the_same_length_is_taken(card: Card) -> None:
    """A file that differs from what was left of it in nothing but the secret looked like one that a power cut left."""
    fill(card)
    assert card.take()
    other = imager.psk("battery staple", "Home")
    card.write(network_config=imager.network_config("Home", other))
    assert card.take()
    assert card.record["network"]["wifis"]["wlan0"]["access-points"]["Home"]["password"] == other
    assert other not in card.read("network-config")


def test_the_mark_serves_for_the_same_network_and_the_same_user_only(card: Card) -> None:
    fill(card)
    assert card.take()
    before = card.kept()
    card.write(network_config=card.read("network-config").replace("Home", "Work"))
    assert not card.take()
    assert "found the mark of a password taken before, and none was for this network" in card.report
    assert card.kept() == before
    card.write(user_data=card.read("user-data").replace("anna", "bert"))
    assert not card.take()
    assert "users: passwd: found the mark of a password taken before, and none was" in card.report


def test_a_refused_password_stays_for_its_owner_to_mend(card: Card) -> None:
    text = imager.user_data(host="kitchen", user="anna", hashed="hunter2")
    card.write(user_data=text)
    assert not card.take()
    assert card.read("user-data") == text and "hunter2" not in card.report


@pytest.mark.parametrize("line", [
    "passwd: {0}", "passwd: '{0}'", 'passwd: "{0}"', "passwd: >-\n    {0}", "hashed_passwd: |-\n    {0}",
    '"passwd": {0}   # a comment', "{{passwd: {0}}}"])
def test_every_way_to_write_a_hash(card: Card, line: str) -> None:
    text = line.format(HASH)
    entry = f"- {text[:-1]}, name: anna, lock_passwd: no}}" if text.startswith("{") else \
        f"- name: anna\n  lock_passwd: false\n  {text}"
    card.write(user_data=f"#cloud-config\r\nhostname: küche\nusers:\n{entry}\n")
    assert not card.take()  # the name is none
    assert card.record["users"][0]["hash"] == HASH
    assert HASH not in card.read("user-data") and "xxx" in card.read("user-data")
    card.write(user_data=card.read("user-data").replace("küche", "kueche"))
    assert card.take() and card.record["users"][0]["hash"] == HASH


@pytest.mark.parametrize("line", ['password = "{0}"', "password='{0}'", '"password" = "{0}"', 'password = """{0}"""',
                                  'password   =   "{0}"\r', '# password = "old"\npassword = "{0}"'])
def test_every_way_to_write_the_broker_s_password(card: Card, line: str) -> None:
    for text in (f"[mqtt]\nuser = \"ä\"\n{line}\n", f"\ufeff[mqtt]\n{line}\nuser = \"ä\"\n"):
        card.write(settings=text.format("zauber wört"))
        assert card.take()
        assert card.places.password.read_text() == "zauber wört\n"
        assert "zauber" not in card.read("edge-audio.toml") and "xxxxxx xxxxx" in card.read("edge-audio.toml")
        assert b'password_credential = "mqtt-password"' in card.places.settings.read_bytes()


@pytest.mark.parametrize(("text", "said"), [
    ("[mqtt]\npassword = \"geheim\"", "[mqtt] user: found nothing; wanted the user whose password"),
    ("[mqtt]\nuser = \"a\"\npassword = 5", "[mqtt] password: found no text; wanted the password in quotes"),
    ("[mqtt]\nuser = \"a\"\npassword = \"xxxx\"", "[mqtt] password: found the mark of a password taken before"),
    ("[mqtt]\nuser = \"a\"\npassword = \"geheim\"\npassword_file = \"/f\"", "found a value, and password_file too; wanted"),
    ("[mqtt]\nuser = \"a\"\npass\\u0077ord = \"geheim\"", "line 3: found no TOML"),
    ("mqtt = geheim", "line 1: found no TOML"),
])
def test_a_password_that_cannot_be_used(card: Card, text: str, said: str) -> None:
    card.write(settings=text)
    assert not card.take()
    assert said in card.report and "geheim" not in card.report
    assert card.places.password.read_bytes() == b""


def page_s(card: Card) -> set[str]:
    """The page's password, where the page would know it."""
    kept = load_password(card.places.state)
    return {PAGE} if kept is not None and kept.fits(PAGE) else set()


class Cut(BaseException):
    """The power fails."""


class Power:
    """Fails at the n-th thing that reaches the card; of what is written then, the first half has reached the card."""

    def __init__(self, patch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        patch.setattr(durable, "sync", self.watched(lambda descriptor: None))
        for name in ("write", "replace"):
            patch.setattr(durable.os, name, self.watched(getattr(os, name)))

    def watched(self, function: Any) -> Any:
        def through(*arguments: Any) -> Any:
            self.left -= 1
            if self.left >= 0:
                return function(*arguments)
            if self.left == -1 and function.__name__ == "write":
                function(arguments[0], arguments[1][:len(arguments[1]) // 2])
            raise Cut
        return through


@pytest.mark.parametrize("former", [False, True], ids=["new card", "settings before"])
def test_a_power_cut_at_any_step_loses_nothing(tmp_path: Path, former: bool) -> None:
    def start(name: str) -> Card:
        card = Card(tmp_path / name)
        if former:
            card.write(user_data=imager.user_data(host="attic"), settings="# before\n",
                       network_config=imager.network_config())
            assert card.take()
        fill(card)
        return card

    whole = start("whole")
    assert whole.take()
    steps = 0
    while True:
        card = start(str(steps))
        with pytest.MonkeyPatch.context() as patch:
            power = Power(patch, steps)
            try:
                card.take()
            except Cut:
                pass
        done = power.left >= 0
        there = secrets_on(card.places.boot) | secrets_on(card.places.data) | page_s(card)
        assert there == {HASH, DIGITS, BROKER, PAGE}, steps
        assert card.take(), steps
        assert card.kept() == whole.kept() and card.record["files"] == whole.record["files"], steps
        assert card.report == whole.report and not secrets_on(card.places.boot), steps
        assert page_s(card) and PAGE not in secrets_on(card.places.data), steps
        assert not list(card.places.run.rglob("mqtt-password"))
        if done:
            break
        steps += 1
    assert steps > 20
