"""A board's life in a real Home Assistant: examples, switches, power cuts, removed targets: `make test-home-assistant`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.home.home_assistant import CLAP, DOUBLE_CLAP, HEARS, PIN, SMOKE_ALARM, TYPING, Board, HomeAssistant, sound, until

pytestmark = pytest.mark.slow


def test_the_examples_run(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("kitchen", HEARS, SMOKE_ALARM) as kitchen:
        home.wait("binary_sensor.kitchen_smoke_alarm", "off")
        for lamp in ("on", "off"):
            kitchen.hear(*DOUBLE_CLAP)
            home.wait("light.living_room", lamp)
        kitchen.hear(sound("siren.wav"))
        home.wait("input_text.notified", "Smoke alarm: The kitchen hears a smoke alarm.")
    # Gone and back: no clap, so the lamp stays as it is.
    home.wait("event.kitchen_double_clap", "unavailable")
    before = home.find("automation.a_double_clap_toggles_the_lamp")
    with board("kitchen", HEARS, SMOKE_ALARM):
        until(lambda: home.state("event.kitchen_double_clap") not in ("unavailable", "unknown"), "not back")
        home.wait("binary_sensor.kitchen_smoke_alarm", "off")
    after = home.find("automation.a_double_clap_toggles_the_lamp")
    assert before is not None and after is not None
    assert after["attributes"]["last_triggered"] == before["attributes"]["last_triggered"] is not None


def test_what_is_switched_and_pressed_there_is_done(home: HomeAssistant, board: Callable[..., Board]) -> None:
    allow = '[command]\nallow = ["mute", "unmute", "identify", "pin-test"]\n'
    with board("yard", HEARS, PIN, allow) as yard:
        home.wait("switch.yard_mute", "off")
        home.wait("binary_sensor.yard_pin_17", "off")
        home.ask("/api/services/button/press", {"entity_id": "button.yard_test_pin_17"})
        home.wait("binary_sensor.yard_pin_17", "on")
        home.ask("/api/services/button/press", {"entity_id": "button.yard_identify"})
        assert "button.yard_identify" in home.entities("yard")
        home.ask("/api/services/switch/turn_on", {"entity_id": "switch.yard_mute"})
        home.wait("switch.yard_mute", "on")
        yard.hear(CLAP)
        yard.wait_heard()
        home.ask("/api/services/switch/turn_off", {"entity_id": "switch.yard_mute"})
        home.wait("switch.yard_mute", "off")
        assert home.state("event.yard_hand_clap") == "unknown"
        yard.hear(CLAP)
        until(lambda: home.state("event.yard_hand_clap") != "unknown", "deaf")


def test_a_power_cut_makes_all_unavailable(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("attic", HEARS, TYPING) as attic:
        home.wait("binary_sensor.attic_typing", "off")
        home.wait("binary_sensor.attic_connected", "on")
        attic.kill()
        home.wait("binary_sensor.attic_connected", "off")
        for entity in home.entities("attic") - {"binary_sensor.attic_connected"}:
            home.wait(entity, "unavailable")


def test_a_removed_target_disappears_and_the_others_stay(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("shed", HEARS, TYPING, PIN):
        home.wait("binary_sensor.shed_typing", "off")
        before = home.entities("shed")
    gone = {"binary_sensor.shed_typing", "binary_sensor.shed_pin_17"}
    with board("shed", HEARS):
        for entity in gone:
            home.wait(entity, None)
        home.wait("binary_sensor.shed_hand_clap", "off")
        assert home.entities("shed") == before - gone
    with board("shed", HEARS, TYPING, PIN):
        until(lambda: home.entities("shed") == before, "not all is back")
        home.wait("binary_sensor.shed_typing", "off")
    with board("shed", HEARS, mqtt="discovery = false"):
        until(lambda: home.entities("shed") == set(), "the device stays")
        home.wait("event.shed_hand_clap", None)


def test_home_assistant_restarts(home: HomeAssistant, board: Callable[..., Board]) -> None:
    """What was retained brings everything back; a target that went meanwhile is a ghost until it is deleted there."""
    with board("cellar", HEARS, TYPING) as cellar:
        home.wait("binary_sensor.cellar_typing", "off")
        cellar.hear(CLAP)
        until(lambda: home.state("event.cellar_hand_clap") not in ("unknown", "unavailable"), "no clap")
        heard = home.find("event.cellar_hand_clap")
        home.stop()
        home.start()
        home.wait("binary_sensor.cellar_typing", "off")
        again = home.find("event.cellar_hand_clap")
        assert heard is not None and again is not None
        assert (again["state"], again["attributes"]["id"]) == (heard["state"], heard["attributes"]["id"])
        home.stop()
    with board("cellar", HEARS):
        home.start()
        home.wait("binary_sensor.cellar_hand_clap", "off")
        home.wait("binary_sensor.cellar_typing", "unavailable")
