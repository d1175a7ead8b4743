"""What another threshold would bring, as the page's server says it: the real command as its child."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.page.children import Children
from edge.page.password import set_password
from tests.cli.test_cli import edge_audio, write_wav
from tests.page.browser import Browser

pytestmark = pytest.mark.big


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands that children were begun with; they run as they are."""
    found: list[tuple[str, ...]] = []
    begin = Children.begin

    async def noted(self: Children, words: tuple[str, ...], **others: Any) -> Any:
        found.append(tuple(words))
        return await begin(self, words, **others)

    monkeypatch.setattr(Children, "begin", noted)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edge-audio.toml"
    path.write_text('[[target]]\nname = "siren"\n[[target]]\nname = "hand_clap"\n')
    return path


def said(state_dir: Path, config: Path, target: str) -> Any:
    """What the command says, without the page."""
    words = ("--expect", "--target", target, "--format", "json", "--config", str(config), "--state-dir", str(state_dir))
    found = json.loads(edge_audio("calibrate", *words).stdout)["targets"][target]
    return {"target": target, **{key: value for key, value in found.items() if key != "threshold"}}


def test_it_is_what_the_command_says_and_kept_until_a_calibration_changes(
        tmp_path: Path, state_dir: Path, config: Path, start_page: Callable[..., Browser],
        begun: list[tuple[str, ...]]) -> None:
    browser = start_page(config=config)
    with ThreadPoolExecutor() as threads:  # two at once, of a board that was not asked yet
        siren, clap = threads.map(lambda name: browser.ask(f"/api/expect?target={name}").told, ("siren", "hand_clap"))
    assert siren == said(state_dir, config, "siren") and siren["made"] == "shipped" and len(siren["curve"]) == 101
    assert clap == said(state_dir, config, "hand_clap") and clap["curve"] == []
    assert browser.ask("/api/expect?target=siren").told == siren
    assert begun == [("calibrate", "--expect", "--format", "json")]
    room = write_wav(tmp_path / "room.wav", np.random.default_rng(1).normal(0, 2_000, 20 * 16_000).astype(np.int16))
    here = ("--config", str(config), "--state-dir", str(state_dir))
    edge_audio("calibrate", "--room", str(room), "--target", "hand_clap", *here)
    clap = browser.ask("/api/expect?target=hand_clap").told
    assert clap == said(state_dir, config, "hand_clap") and clap["made"] == "room" and len(clap["curve"]) >= 100
    assert len(begun) == 2
    answer = browser.ask("/api/expect?target=cow%00")
    assert answer.status == 404 and "cow" in answer.told["found"] and answer.told["wanted"] == "one of siren, hand_clap"
    config.write_text("[source]\nkind = 7\n")
    os.utime(config, ns=(1, 1))
    answer = browser.ask("/api/expect?target=siren")
    assert answer.status == 503 and "[source] kind" in answer.told["found"] and answer.told["wanted"]


def test_it_takes_a_session(state_dir: Path, start_page: Callable[..., Browser], begun: list[tuple[str, ...]]) -> None:
    set_password(state_dir, "correct horse", cost=16)
    assert start_page().ask("/api/expect?target=siren").status == 401 and begun == []
