"""Whatever stands on the boot partition: `take` ends with a report, and what was in force before is not lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.image.first_start.userdata import HOST_NAME
from tests.image import imager
from tests.image.first_start.card import Card

pytestmark = pytest.mark.big

SECRETS = {"hash": imager.password_hash("b"), "digits": imager.psk("battery staple", "Work"), "broker": "zauberwort"}
TEXTS = {
    "user_data": imager.user_data(host="attic", user="bert", hashed=SECRETS["hash"], keys=[imager.key("b")]),
    "meta_data": "instance-id: i\nlocal-hostname: shed\n",
    "network_config": imager.network_config("Work", SECRETS["digits"], hidden=True),
    "settings": f'[mqtt]\nhost = "h"\nuser = "bert"\npassword = "{SECRETS["broker"]}"\n[[pin]]\npin = 22\ntarget = "snap"\n',
    "cmdline": imager.CMDLINE,
}
NAMES = sorted(TEXTS)


def full(folder: str) -> Card:
    """A card with settings in force."""
    card = Card(Path(folder))
    card.write(user_data=imager.user_data(host="kitchen", user="anna", hashed=imager.password_hash("a"),
                                          keys=[imager.key("a")]),
               network_config=imager.network_config("Home", imager.psk("correct horse", "Home")), settings="# before\n")
    assert card.take()
    return card


def check(card: Card, before: dict[str, object]) -> None:
    after = card.kept()
    assert "edge-audio: what the board took" in card.report
    assert before.keys() <= after.keys()
    assert HOST_NAME.fullmatch(str(after["host_name"]))
    said = [entry for entry in card.record["files"].values() if any("mistake" in line or "did not expect" in line
                                                                    for line in entry["refused"])]
    assert not said


@settings(max_examples=40)
@given(files=st.dictionaries(st.sampled_from(NAMES), st.one_of(st.binary(max_size=200),
                                                               st.text(max_size=200).map(str.encode))))
def test_any_bytes(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        card = full(folder)
        before = card.kept()
        card.write(**files)
        card.take()
        check(card, before)
        names = {"settings": "edge-audio.toml", "cmdline": "cmdline.txt"}
        entries = [card.record["files"].get(names.get(name, name.replace("_", "-")), {}) for name in files]
        if not any(entry.get("taken") for entry in entries):
            assert card.kept() == before


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A file of Imager's or of the owner's, with a few slips of the keyboard."""
    name = draw(st.sampled_from(NAMES))
    text = TEXTS[name]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        typed = draw(st.sampled_from(["", " ", "\t", ":", "-", "#", "\n", "'", '"', "[", "{", "&a ", "*a ", "ü", "\x00"]))
        text = text[:at] + typed + text[at + draw(st.integers(0, 2)):]
    return name, text


@settings(max_examples=60)
@given(slip=slips())
def test_slips_of_the_keyboard(slip: tuple[str, str]) -> None:
    name, text = slip
    with tempfile.TemporaryDirectory() as folder:
        card = full(folder)
        before = card.kept()
        card.write(**{name: text})
        card.take()
        check(card, before)
        report = card.report
        for secret in SECRETS.values():
            assert secret not in report
        again = card.kept()
        card.take()
        assert card.kept() == again and card.report == report
        assert card.apply() == 0


@pytest.mark.parametrize("depth", [31, 33, 3000])
@pytest.mark.parametrize("kind", ["[", "{a: ", "- ", "a:\n "])
def test_deep_nests(card: Card, depth: int, kind: str) -> None:
    card.write(user_data=imager.user_data(host="kitchen"))
    assert card.take()
    before = card.kept()
    card.write(user_data=kind * depth, network_config=kind * depth, settings=f"a = {'[' * depth}")
    assert not card.take()
    check(card, before)
    assert card.kept() == before
