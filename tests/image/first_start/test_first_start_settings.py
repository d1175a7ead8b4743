"""edge-audio.toml on the boot partition, judged by the appliance's own `check`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.image.first_start.appliance import edge_audio_judge
from edge.settings_file import load_settings
from tests.image.first_start.card import Card

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parents[3]
STUB = ROOT / "deploy" / "image" / "boot" / "edge-audio.toml"
PROGRAM = Path(sys.executable).with_name("edge-audio")


def take(card: Card, settings: str) -> bool:
    card.write(settings=settings)
    return card.take(edge_audio_judge(PROGRAM, card.places))


def test_the_stub_with_its_examples_switched_on_serves(card: Card) -> None:
    text = "\n".join(line[2:] if line.startswith("# ") and (" = " in line or line.startswith("# [")) else line
                     for line in STUB.read_text().splitlines())
    assert take(card, text), card.report
    settings = load_settings(card.places.settings)
    assert [target.name for target in settings.target] == ["double_clap"] and settings.pin[0].action == "toggle"
    assert settings.mqtt.host == "homeassistant.local" and settings.mqtt.password_credential == "mqtt-password"
    assert card.places.password.read_text() == "the broker's password\n"
    assert f"targets: double_clap pins: {settings.pin[0].pin} (toggle on double_clap)" in card.report
    assert settings.button[0].pin == "23" and settings.led.pin == "24"
    assert "buttons: 23 (mute)" in card.report and "status LED: 24" in card.report


@pytest.mark.parametrize(("text", "said"), [
    ("[mqtt]\nprot = 1883", "NOT TAKEN: [mqtt]: found the unknown key 'prot'"),
    ("[mqtt]\nport = \"geheim\"\nuser = \"a\"\npassword = \"geheim\"", "[mqtt] port: found"),
    ("[mqtt]\nhost = \"mqtt://anna:geheim@broker\"", "[mqtt] host: found 'mqtt://...@broker'"),
    ("[mqtt]\nhost = \"127.0.0.1\"\nport = 1\nprefix = \"a/b\"", "[mqtt] prefix: found 'a/b'; wanted a name without"),
    ("[[target]]\nname = \"dog\"", "[[target]] dog labels: found none, and the model suggests none"),
    ("[[pin]]\npin = 22\ntarget = \"hand_clap\"\naction = \"jump\"", "action: found"),
    ("[[pin]]\npin = 99\ntarget = \"hand_clap\"\nfactory = \"simulated\"", "NOT TAKEN: pin 99: "),
    ("[model]\nname = \"other\"", "other"),
    ("[mqtt]\nhost = \"127.0.0.1\"\nport = 1\nuser = \"a\"\npassword_file = \"/nowhere\"", "/nowhere"),
])
def test_what_does_not_serve_is_refused_and_the_former_settings_stay(card: Card, text: str, said: str) -> None:
    assert take(card, '[[target]]\nname = "hand_clap"\n')
    before = card.kept()
    assert not take(card, text)
    assert said in card.report and card.kept() == before
    assert "geheim" not in card.report
    assert card.read("edge-audio.toml") == text
    assert take(card, '[[target]]\nname = "typing"\n') and b"typing" in card.places.settings.read_bytes()


def test_a_broker_that_cannot_be_reached_is_taken(card: Card) -> None:
    assert take(card, '[mqtt]\nhost = "127.0.0.1"\nport = 1\nuser = "a"\npassword = "geheim"\n'), card.report


def test_where_nobody_can_judge_the_next_start_tries_again(card: Card) -> None:
    card.write(settings="# mine\n")
    assert not card.take(edge_audio_judge(Path("/nowhere/edge-audio"), card.places))
    assert "found no way to check it" in card.report
    assert take(card, "# mine\n") and card.places.settings.read_text() == "# mine\n"


def test_what_a_slot_refused_the_next_slot_judges_again(card: Card) -> None:
    card.write(settings="[new]\nkey = 1\n")
    asked = []

    def judge(answer: list[str]) -> bool:
        return card.take(lambda file, folder: asked.append(file) or answer)

    assert not judge(["unknown"]) and not judge([]) and len(asked) == 1
    (card.places.etc / "os-release").write_text("IMAGE_VERSION=2.0.0\n")
    assert judge([]) and len(asked) == 2


def test_after_a_rollback_the_settings_that_the_older_slot_took_serve_again(card: Card) -> None:
    """Settings of a newer slot named a key that the older one does not know: the board would not hear."""
    def start(version: str, settings: str = "") -> bool:
        (card.places.etc / "os-release").write_text(f"IMAGE_VERSION={version}\n")
        if settings:
            card.write(settings=settings)

        def judge(file: Path, folder: Path) -> list[str]:
            asked.append(version)
            return ["[new]: found the unknown key 'key'"] if b"new" in file.read_bytes() and version == "1" else []
        return card.take(judge)

    asked: list[str] = []
    assert start("1", "# old\n") and start("1") and asked == ["1"]
    assert start("2") and asked == ["1", "2"]    # a new slot judges once what it did not take
    assert start("2", "[new]\nkey = 1\n") and card.places.settings.read_text() == "[new]\nkey = 1\n"
    assert start("1") and card.places.settings.read_text() == "# old\n"
    assert "Image 1 cannot serve with the settings in force: [new]: found the unknown key 'key'. Those" in card.report
    asked.clear()
    assert start("1") and not asked and "Those that it took last are in force" in card.report
    assert start("2") and card.places.settings.read_text() == "[new]\nkey = 1\n", "the owner's latest, where they serve"
    assert "cannot serve" not in card.report


def test_the_commands_do_it_all(card: Card, tmp_path: Path) -> None:
    """The two commands as the unit calls them."""
    card.write(user_data="#cloud-config\nhostname: kitchen\n", settings="[mqtt]\nprot = 1\n")

    def call(what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "first_start", what, "--root", card.places.root, "--program", PROGRAM],
                              cwd=ROOT / "deploy" / "image", capture_output=True, text=True, timeout=120, check=False)

    taken = call("take")
    assert taken.returncode == 1
    assert taken.stderr == "edge-audio: not everything on the boot partition was taken: edge-audio-report.txt there\n"
    applied = call("apply")
    assert (applied.returncode, applied.stderr) == (0, "") and card.made("etc/hostname") == "kitchen\n"
    assert b"Every key has its default" in card.places.settings.read_bytes()
