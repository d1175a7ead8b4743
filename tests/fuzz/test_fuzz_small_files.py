"""Small files of the state directory with values that Python's own functions give up on; found by fuzzing, or by looking for
their like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.cli.updating import record
from edge.cli.updating.trial import Record, Trial
from edge.errors import SettingsError, UpdateError
from edge.page.password import PASSWORD, load_password, set_password
from edge.page.sessions import FILE, Sessions

DEEP = "[" * 3_000


@pytest.mark.parametrize("changed", [{"cost": 3}, {"cost": 0}, {"cost": float("inf")}, {"block": 0}, {"times": 10**9},
                                     {"cost": 2, "block": 65_536}, {"cost": 2**16},
                                     {"times": 0}])
def test_a_password_that_no_login_could_try_is_none(tmp_path: Path, changed: dict[str, Any]) -> None:
    """It was read, and each login was then an error of the server's, or took hours."""
    set_password(tmp_path, "open sesame", cost=16)
    found = load_password(tmp_path)
    assert found is not None and found.fits("open sesame")
    path = tmp_path / PASSWORD
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(SettingsError, match="found no password; wanted edge-audio page --set-password"):
        load_password(tmp_path)


def test_what_is_hundreds_deep_is_none_of_ours(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in (PASSWORD, FILE, "updates.json"):
        (tmp_path / name).write_text(DEEP)
        (tmp_path / name).chmod(0o600)
    with pytest.raises(SettingsError, match="no password"):
        load_password(tmp_path)
    with pytest.raises(UpdateError, match="wanted the record of updates"):
        record.load(tmp_path / "updates.json")
    assert not Sessions(tmp_path).holds("token", "name") and "everybody logs in again" in caplog.text


def test_sessions_of_a_time_that_no_clock_has_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FILE).write_text(json.dumps({"schema": 1, "password": "name", "sessions": {"x": 10**400}}))
    assert not Sessions(tmp_path).holds("token", "name") and "everybody logs in again" in caplog.text


def test_a_record_of_endless_starts_is_none(tmp_path: Path) -> None:
    path = tmp_path / "updates.json"
    record.save(path, Record({"A": "1"}, "A", Trial("B", "2", (), "x", True, 1)))
    assert record.load(path).trial is not None
    path.write_text(path.read_text().replace('"boots":1', '"boots":1e999'))
    with pytest.raises(UpdateError, match="OverflowError"):
        record.load(path)
