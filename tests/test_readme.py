"""README and the guides cannot drift: tables come from the code; every command, topic, field and setting is named."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import shutil
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.app import build
from edge.cli import COMMANDS
from edge.cli.parser import Parser
from edge.settings import VERBS, LogSettings, Settings, SourceSettings
from edge.stream import Event
from edge.topics import Topics, event_payload
from tests.fakes import FakeSink
from tests.sources.wav_files import heard

ROOT = Path(__file__).resolve().parent.parent
FIRST_PAGE = ROOT / "README.md"
DOCS = ROOT / "deploy" / "docs"
FIGURES, FAULTS = ROOT / "models" / "README.md", ROOT / "tests" / "faults" / "README.md"
GUIDES = sorted({path for path in ROOT.rglob("*.md") if not any(
    part.startswith(".") or part in {"shared", "build"} for part in path.relative_to(ROOT).parts)})


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def section(page: Path, name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", read(page), re.DOTALL)
    assert found, f"{page} has no section {name}"
    return found.group(1)


def anchors(page: Path) -> set[str]:
    """What may follow a # in a link to this page: its headings, as GitHub writes them."""
    titles = re.findall(r"^#+ (.*)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page: Path) -> list[tuple[Path, str]]:
    """Every link of a page that leads into this repository: the file, and the heading or "". Code is no link."""
    prose = re.sub(r"`[^`\n]*`|^    .*$", "", read(page), flags=re.MULTILINE)
    found = [target.partition("#") for target in re.findall(r"\]\(([^)\s]+)\)", prose) if "://" not in target]
    return [((page.parent / name).resolve() if name else page, anchor) for name, _, anchor in found]


def test_the_first_page_is_short() -> None:
    assert len(read(FIRST_PAGE).splitlines()) <= 200


def test_the_settings_tables_are_the_settings() -> None:
    made = "\n".join(runpy.run_path(str(DOCS / "settings_table.py"))["lines"]()) + "\n"
    assert section(DOCS / "settings.md", "settings") == made, "python deploy/docs/settings_table.py --write"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_mentioned(command: str) -> None:
    assert any(re.search(rf"edge-audio {command}\b|make {command}\b", read(page)) for page in GUIDES)


def said(pattern: str) -> list[str]:
    """What the guides name by `pattern` (one group), in lines of code and between backticks; each once."""
    code = "\n".join(found for page in GUIDES for pair in re.findall(r"^    (.*)$|`([^`\n]+)`", read(page), re.MULTILINE)
                     for found in pair if found)
    return sorted(set(re.findall(pattern, code, re.MULTILINE)))


def command_lines() -> list[str]:
    """Every command line of edge-audio: without its comment, and of alternatives (a | b) the first."""
    lines = [re.split(r" +#| \| ", line)[0].strip() for line in said(r"^(?:\.venv/bin/)?edge-audio ([a-z].*)$")]
    return sorted({line for line in lines if line.split()[0] in COMMANDS})


@pytest.mark.parametrize("line", command_lines())
def test_every_command_line_is_one_that_the_program_takes(line: str) -> None:
    name, *words = shlex.split(line)
    module = importlib.import_module(f"edge.cli.{name}")
    parser = Parser(prog=name)
    module.arguments(parser)
    with pytest.MonkeyPatch.context() as patch:
        # A command that a sentence names by itself lacks what it needs; only what is given must be right.
        patch.setattr(Parser, "error", lambda _, message: pytest.fail(message) if "required" not in message else None)
        parser.read(words)


@pytest.mark.parametrize("target", said(r"^make ([a-z-]+)\b"))
def test_every_make_target_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", read(ROOT / "Makefile"), re.MULTILINE)


@pytest.mark.parametrize("script", said(r"^(?:\.venv/bin/)?python ((?:-m )?[\w./]+)"))
def test_every_script_is_there(script: str) -> None:
    path = ROOT / (script.removeprefix("-m ").replace(".", "/") if script.startswith("-m ") else script)
    assert script == "-m pytest" or any(each.is_file() for each in (path, path.with_suffix(".py"), path / "__main__.py"))


@pytest.mark.parametrize("command", ["make demo", "make test", "make run"])
def test_the_first_page_has_the_first_commands(command: str) -> None:
    assert re.search(rf"^    {command}\b", read(FIRST_PAGE), re.MULTILINE)


def test_the_first_pages_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "models" / "demo" / "claps.wav", tmp_path / "door.wav")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGE_AUDIO_STATE", str(tmp_path))
    recording, stream = (re.search(r"(?:^    .*\n)+", read(page).partition("## From Python")[2], re.MULTILINE)[0]  # type: ignore[index]
                         for page in (FIRST_PAGE, ROOT / "edge" / "README.md"))
    assert stream.count("\n") == 5
    exec(textwrap.dedent(recording))
    assert "hand_clap" in capsys.readouterr().out
    exec(textwrap.dedent(stream), {"samples": heard(Path("door.wav"))[:, 0]})
    assert capsys.readouterr().out.count("target='hand_clap'") == 8


def test_topics_and_payload_fields_are_the_codes() -> None:
    guide = read(DOCS / "mqtt.md")
    topics = Topics("edge-audio", "<device>")
    for topic in (topics.status, topics.event("<target>"), topics.state("<target>"), topics.health, topics.muted,
                  topics.pin("<pin>"), topics.command("<verb>"), topics.response("<verb>"), topics.dropped):
        assert f"`{topic}`" in guide
    now = datetime.now(UTC)
    event = Event("id", 1, "start", "t", "l", 0.5, 0.5, 0, None, now, None, -20.0)
    example = re.search(r'\{"schema": 1, .*?\}', guide, re.DOTALL)
    assert example
    assert re.findall(r'"(\w+)":', example.group(0)) == list(event_payload(event, device="d", late=False))


def test_healths_fields_are_the_codes(tmp_path: Path) -> None:
    sink = FakeSink()
    source = SourceSettings(kind="file", path=str(ROOT / "models" / "demo" / "steps.wav"), paced=False)
    build(Settings(source=source, log=LogSettings(events="")), tmp_path, extra_sinks=[sink]).run()
    table = read(DOCS / "mqtt.md").partition("### Health")[2].partition("## ")[0]
    told = [field for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for field in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(sink.healths[-1])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_told(verb: str) -> None:
    assert f"| `{verb}` |" in read(DOCS / "mqtt.md")


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(target), f"{page}: {target}#{anchor}"


def test_every_guide_is_reached_from_the_first_page() -> None:
    seen, waiting = {FIRST_PAGE}, [FIRST_PAGE]
    while waiting:
        new = {target for target, _ in links(waiting.pop()) if target.suffix == ".md"} - seen
        seen |= new
        waiting += new
    assert set(GUIDES) == seen


def test_the_walks_lead_through_the_code() -> None:
    """Each step of a walk names a file of edge/ and, most of them, something that the file defines."""
    walks = re.split(r"^## ", read(ROOT / "edge" / "README.md"), flags=re.MULTILINE)
    walks = [walk for walk in walks if walk.startswith("A walk: ")]
    assert len(walks) == 3
    for walk in walks:
        steps = re.findall(r"^\d+\. `([\w/]+\.py)`, `([\w.]+)`: ", walk, re.MULTILINE)
        assert len(steps) == len(re.findall(r"^\d+\. ", walk, re.MULTILINE)) == 10
        for file, name in steps:
            text = read(ROOT / "edge" / file)
            for part in name.split("."):
                assert re.search(rf"^ *(class|def) {part}\b", text, re.MULTILINE), f"{file}: {name}"
        for file in re.findall(r"`([\w/]+\.py)`", walk):
            assert (ROOT / "edge" / file).is_file(), file


def test_the_rooms_are_the_codes() -> None:
    house = read(ROOT / "edge" / "README.md")
    for path in (ROOT / "edge").iterdir():
        if path.is_dir() and (path / "__init__.py").is_file():
            assert f"`{path.name}/`" in house
        elif path.suffix == ".py" and not path.name.startswith("__"):
            assert f"`{path.name}`" in house


@pytest.mark.parametrize(("page", "name"), [
    (FIRST_PAGE, "hears"),
    *((FIGURES, name)
      for name in ("figures", "cross-fit", "alarms", "scenes", "onsets", "lasting", "bench", "arm", "arm-run")),
    (FAULTS, "faults"), (FAULTS, "writes")], ids=lambda value: value if isinstance(value, str) else "")
def test_figures_are_given(page: Path, name: str) -> None:
    head, rule, *rows = [line for line in section(page, name).splitlines() if line.startswith("|")]
    assert rows and set(rule) <= set("|-")
    assert {line.count("|") for line in rows} == {head.count("|")}
