"""README cannot drift: its tables come from the code, and it names every command, topic and payload field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.cli import COMMANDS
from edge.settings_file import REPEATED, TABLES, keys
from edge.stream import Event
from edge.topics import Topics, event_payload

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", README, re.DOTALL)
    assert found, f"README.md has no section {name}"
    return found.group(1)


def settings_table() -> str:
    """The table as it should be; `python tests/test_readme.py` writes it."""
    lines = ["| key | default | |", "|---|---|---|"]
    for name, kind in TABLES.items():
        table = f"[[{name}]]" if name in REPEATED else f"[{name}]"
        for key, _, default in keys(kind):
            shown = {True: "true", False: "false", (): "[]", "": '""'}.get(default, str(default)) if isinstance(
                default, (bool, tuple, str)) else str(default)
            lines.append(f"| `{table} {key.name}` | `{shown}` | {key.metadata['help'].replace('|', '&#124;')} |")
    return "\n".join(lines) + "\n"


def test_the_settings_table_is_the_settings() -> None:
    assert section("settings") == settings_table()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_mentioned(command: str) -> None:
    assert re.search(rf"edge-audio {command}\b|make {command}\b", README)


def test_topics_and_payload_fields_are_the_codes() -> None:
    topics = Topics("edge-audio", "<device>")
    for topic in (topics.status, topics.event("<target>"), topics.state("<target>"), topics.health, topics.muted,
                  topics.pin("<pin>"), topics.command("<verb>"), topics.response("<verb>"), topics.dropped):
        assert f"`{topic}`" in README
    now = datetime.now(UTC)
    event = Event("id", 1, "start", "t", "l", 0.5, 0.5, 0, None, now, None, -20.0)
    example = re.search(r'\{"schema": 1, .*?\}', README, re.DOTALL)
    assert example
    assert re.findall(r'"(\w+)":', example.group(0)) == list(event_payload(event, device="d", late=False))


def test_every_file_that_readme_names_is_there() -> None:
    for name in re.findall(r"\]\(([\w/.-]+)\)", README):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("name", ["figures", "bench", "arm", "cross-fit", "alarms", "scenes", "faults", "writes"])
def test_figures_are_given(name: str) -> None:
    head, rule, *rows = [line for line in section(name).splitlines() if line.startswith("|")]
    assert rows and set(rule) <= set("|-")
    assert {line.count("|") for line in rows} == {head.count("|")}


if __name__ == "__main__":
    written = README.replace(f"<!-- settings -->\n{section('settings')}", f"<!-- settings -->\n{settings_table()}")
    (ROOT / "README.md").write_text(written, encoding="utf-8")
