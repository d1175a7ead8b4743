"""The page's password on the boot partition: kept as the page keeps it, blanked, and without it nothing is opened."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.image.first_start.appliance import edge_audio_judge
from deploy.image.first_start.page import TOKEN, edge_audio_keeper
from edge.page.password import load_password, load_token
from edge.settings_file import load_settings
from tests.image import imager
from tests.image.first_start.card import Card

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(sys.executable).with_name("edge-audio")
PASSWORD = "correct hörse"
OPEN = f'[page]\npassword = "{PASSWORD}"   # mine\n'


def on(card: Card) -> bool:
    """Whether the unit of the page would start at this boot."""
    assert card.apply() == 0
    return (card.places.run / "page-on").exists()


def fits(card: Card, given: str = PASSWORD) -> bool:
    kept = load_password(card.places.state)
    return kept is not None and kept.fits(given)


def test_a_password_opens_the_page_to_the_network(card: Card) -> None:
    card.write(user_data=imager.user_data(host="kitchen"), settings=OPEN)
    assert card.take() and on(card)
    assert fits(card) and not fits(card, "correct horse") and load_token(card.places.state)
    assert card.places.state.stat().st_mode & 0o777 == 0o700
    assert card.places.settings.read_text() == '[page]\nbind = "0.0.0.0"   # mine\n'
    assert card.read("edge-audio.toml") == '[page]\npassword = "xxxxxxx xxxxxx"   # mine\n'
    assert "the page's password; it is no longer in this file" in card.report
    assert "The page: http://kitchen.local:8080/ It asks for the password." in card.report and "hörse" not in card.report


def test_without_password_the_network_stays_out_and_the_report_says_so(card: Card) -> None:
    card.write(settings='[page]\nbind = "0.0.0.0"\n')
    assert card.take() and not on(card)
    assert "The page is NOT opened: [page] bind is 0.0.0.0, and there is no password." in card.report
    card.write(settings=OPEN)
    assert card.take() and on(card) and "NOT opened" not in card.report
    (card.places.state / "page-password.json").unlink()    # as an owner takes the password away over ssh
    assert card.take() and not on(card) and "NOT opened" in card.report


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1"])
def test_the_board_alone_needs_no_password(card: Card, bind: str) -> None:
    card.write(settings=f'[page]\nbind = "{bind}"\nport = 81\n')
    assert card.take() and on(card)
    assert "serves the board itself alone ([page] bind): http://127.0.0.1:81/" in card.report


def test_who_asks_for_no_page_gets_none(card: Card) -> None:
    card.write(settings=OPEN)
    assert card.take() and on(card)
    card.write(settings='[[target]]\nname = "hand_clap"\n')
    assert card.take() and not on(card) and "The page" not in card.report
    card.places.settings.write_text("no TOML at all")    # edited on the board
    assert card.take() and not on(card)


@pytest.mark.parametrize("line", [
    'password = "{0}"', "password='{0}'", '"password" = "{0}"', 'password = """{0}"""', 'password   =   "{0}"\r',
    '# password = "old"\npassword = "{0}"'])
@pytest.mark.parametrize("bind", ["", 'bind = "192.0.2.7"\n'])
def test_every_way_to_write_it(card: Card, line: str, bind: str) -> None:
    broker = '[mqtt]\nhost = "broker"\nuser = "ä"\npassword = "{0}"\n'
    for text in (f"[page]\n{bind}{line}\n{broker}", f"\ufeff{broker}[page]\nport = 81\n{line}\n{bind}"):
        card.write(settings=text.format(PASSWORD))
        assert card.take(), card.report
        assert fits(card) and card.places.password.read_text() == f"{PASSWORD}\n"    # both have the same one
        assert PASSWORD not in card.read("edge-audio.toml")
        settings = tomllib.loads(card.places.settings.read_text())
        assert settings["page"]["bind"] == ("192.0.2.7" if bind else "0.0.0.0") and "password" not in settings["page"]
        assert settings["mqtt"]["password_credential"] == "mqtt-password" and "password" not in settings["mqtt"]


def test_in_one_line_and_by_a_dotted_key(card: Card) -> None:
    for text in (f'page = {{password = "{PASSWORD}", port = 81}}\n', f'page.port = 81\npage.password = "{PASSWORD}"\n'):
        card.write(settings=text)
        assert card.take() and fits(card)
        assert tomllib.loads(card.places.settings.read_text())["page"] == {"bind": "0.0.0.0", "port": 81}


@pytest.mark.parametrize(("text", "said"), [
    ("password = 5", "[page] password: found no text; wanted the password in quotes"),
    ('password = "xxxxxxxx"', "[page] password: found the mark of a password taken before, and none was"),
    ('pass\\u0077ord = "geheimes"', "line 2: found no TOML")])
def test_what_cannot_be_used_is_refused(card: Card, text: str, said: str) -> None:
    card.write(settings=f"[page]\n{text}\n")
    assert not card.take() and said in card.report and "geheim" not in card.report and not on(card)


def test_an_x_means_as_before_and_a_token_stays(card: Card) -> None:
    card.write(settings=OPEN)
    assert card.take()
    kept = {path.name: path.read_bytes() for path in card.places.state.iterdir()}
    card.write(settings=card.read("edge-audio.toml").replace("mine", "read once more"))
    assert card.take() and {path.name: path.read_bytes() for path in card.places.state.iterdir()} == kept
    card.write(settings=OPEN.replace("correct", "another"))
    assert card.take() and fits(card, PASSWORD.replace("correct", "another")) and not fits(card)
    assert (card.places.state / TOKEN).read_bytes() == kept[TOKEN]


@pytest.mark.big
def test_the_program_itself_keeps_it_and_refuses_what_it_does_not_take(card: Card) -> None:
    judge, keeper = edge_audio_judge(PROGRAM, card.places), edge_audio_keeper(PROGRAM, card.places)
    card.write(settings='[page]\npassword = "geheim"\n')
    assert not card.take(judge, keeper) and not on(card)
    assert "NOT TAKEN: [page] password: found 6 letters; wanted 8 to 256 printable letters" in card.report
    assert card.read("edge-audio.toml") == '[page]\npassword = "geheim"\n'    # for its owner to mend
    card.write(settings=OPEN)
    assert card.take(judge, keeper) and on(card) and fits(card)
    assert not load_settings(card.places.settings).page.local
    assert not (card.places.run / "page").exists() and not (card.places.run / "judged" / "edge-audio.toml").exists()


@pytest.mark.big
def test_a_program_that_cannot_tell_is_asked_again_at_the_next_start(card: Card, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    card.write(settings=OPEN)
    assert not card.take(keeper=edge_audio_keeper(broken, card.places))
    assert "no way to check it (edge-audio page: exit code 3)" in card.report and card.read("edge-audio.toml") == OPEN
    assert card.take() and fits(card) and PASSWORD not in card.read("edge-audio.toml")


@pytest.mark.big
def test_the_image_s_drop_in_is_understood_and_starts_nothing_unasked(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze: this machine has no systemd")
    drop_in = ROOT / "deploy/image/files/etc/systemd/system/edge-audio-page.service.d"
    assert "ConditionPathExists=/run/edge-audio-image/page-on" in (drop_in / "edge-audio.conf").read_text().splitlines()
    shutil.copytree(drop_in, tmp_path / drop_in.name)
    unit = (ROOT / "deploy" / "edge-audio-page.service").read_text().replace("/usr/bin/edge-audio", str(PROGRAM))
    (tmp_path / "edge-audio-page.service").write_text(unit)
    judged = subprocess.run([analyze, "verify", tmp_path / "edge-audio-page.service"], capture_output=True, text=True,
                            check=False)
    assert judged.returncode == 0 and "edge-audio.conf" not in judged.stderr, judged.stderr
