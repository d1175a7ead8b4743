"""Sound of 8 kHz: half of the demo's claps are missed in it, and nothing said why."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from edge import classify
from edge.cli import main
from edge.cli.checkup.checkup import check
from edge.settings import LogSettings, Settings, SourceSettings
from edge.sources.delivered import lacks
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import StreamFormat
from tests.cli.test_cli import write_wav
from tests.fakes import LoudnessModel, tone

SAID = ("found 8000 Hz, which carries nothing above 4 kHz, so that the model misses claps, keys and alarms; "
        "wanted 16000 Hz or more")


@pytest.fixture
def telephone(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "telephone.wav", tone(2.0), rate=8_000)


def test_16_khz_and_more_lack_nothing() -> None:
    assert all(lacks(StreamFormat(rate, 1)) for rate in (8_000, 11_025, 15_999))
    assert not any(lacks(StreamFormat(rate, 1)) for rate in (16_000, 48_000))


def test_recordings_commands_and_arrays_of_8_khz_are_heard_with_a_warning(telephone: Path, tmp_path: Path,
                                                                           caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    open_source(SourceSettings(kind="file", path=str(telephone)), Stats()).close()
    open_source(SourceSettings(kind="command", command=(sys.executable,), rate=8_000), Stats()).close()
    classify(LoudnessModel(), np.zeros(16_000, np.int16), rate=8_000)
    assert [record.getMessage() for record in caplog.records] == [
        f"{thing}: {SAID}" for thing in (telephone, f"command {sys.executable}", "array")]
    caplog.clear()
    open_source(SourceSettings(kind="file", path=str(write_wav(tmp_path / "full.wav", tone(1.0)))), Stats()).close()
    open_source(SourceSettings(kind="command", command=(sys.executable,)), Stats()).close()
    assert not caplog.records


def test_check_finds_it(telephone: Path, tmp_path: Path) -> None:
    source = SourceSettings(kind="file", path=str(telephone), paced=False)
    (finding,) = [one for one in check(Settings(log=LogSettings(events=""), source=source), tmp_path) if one.part == "file"]
    assert not finding.ok and finding.text.endswith(SAID) and "8000 Hz" in finding.text
    assert "rate" in finding.advice and "card" not in finding.advice, "a file comes from no sound card"


def test_classify_says_it_on_standard_error(telephone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", str(telephone), "--state-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert f"{telephone}: {SAID}" in said.err and SAID not in said.out
