"""Dependencies point down only, and each outside library is imported in one file. Reads the imports; runs nothing."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDGE = ROOT / "edge"
FILES = sorted(EDGE.rglob("*.py"))

GROUND = {"stream", "seams", "settings", "topics", "state", "stats", "errors", "clock", "backoff"}
"""The ground floor: what every part may stand on. Between themselves these modules may import what GROUND_MAY says."""
GROUND_MAY = {"stream": set[str](), "errors": set(), "stats": set(), "clock": {"stream"}, "backoff": set(),
              "settings": {"errors", "stream"}, "topics": {"errors", "stream"}, "seams": {"stream"}, "state": {"errors"}}

SIGNAL = {"features", "model", "decision"}
SERVING = SIGNAL | {"sources", "sinks", "control", "dispatch"}
MAY = {
    **{name: GROUND_MAY[name] for name in GROUND},
    "settings_file": {"model"} | GROUND, "features": GROUND, "model": GROUND, "decision": GROUND, "sources": GROUND,
    "control": SIGNAL | GROUND, "learn": SIGNAL | GROUND, "sinks": {"control"} | GROUND,
    "dispatch": {"decision"} | GROUND, "listener": {"features", "decision", "control", "dispatch"} | GROUND,
    "workshop": {"listener", "learn"} | SERVING | GROUND, "app": {"listener", "workshop"} | SERVING | GROUND,
    "page": {"settings_file", "sinks", "control", "workshop", "model"} | GROUND,
    "cli": {"app", "listener", "workshop", "learn", "settings_file", "page"} | SERVING | GROUND,
    "__main__": {"cli"}, "__init__": set(),
}
"""Every module and package at the top of edge/, and the others at the top that it may import."""
ONE_FILE = {
    "pyaudio": "edge/sources/microphone.py", "paho": "edge/sinks/mqtt/client.py", "gpiod": "edge/sinks/pins/lines.py",
    "sqlite3": "edge/sinks/journal/file.py", "ai_edge_litert.interpreter": "edge/model/runtime.py",
    "tflite_runtime.interpreter": "edge/model/runtime.py", "ai_edge_litert.schema_py_generated": "edge/workshop/models/",
    "soundfile": "edge/sources/files.py", "matplotlib": "edge/workshop/plot.py",
}
ONE_ROOM = {"gpiozero": "edge/sinks/pins/", "aiohttp": "edge/page/", "prometheus_client": "edge/page/"}
"""Libraries that the files of one room may import: a pin factory extends gpiozero, and a sink uses it."""


@functools.cache
def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, by statement or by importlib, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
              and node.args and isinstance(node.args[0], ast.Constant)):
            found.add(str(node.args[0].value))
    return found


def part(path: Path) -> str:
    return path.relative_to(EDGE).parts[0].removesuffix(".py")


def test_every_part_at_the_top_has_its_floor_and_no_floor_is_empty() -> None:
    assert {part(path) for path in FILES} == MAY.keys()


def test_the_top_is_small() -> None:
    top = {path for path in EDGE.glob("*.py") if not path.name.startswith("__")}
    assert len(top) <= 14 and len(MAY) - len(top) - 2 <= 11


@pytest.mark.big
@pytest.mark.parametrize("name", sorted(MAY))
def test_dependencies_point_down_only(name: str) -> None:
    above: dict[str, list[str]] = {}
    for path in FILES:
        for each in imports(path) if part(path) == name else ():
            if each.startswith("edge.") and each.split(".")[1] not in MAY[name] | {name, "__version__"}:
                above.setdefault(str(path.relative_to(ROOT)), []).append(each)
    assert not above


def test_sinks_know_nothing_of_control_but_commands() -> None:
    used = {".".join(each.split(".")[:3]) for path in FILES if part(path) == "sinks" for each in imports(path)
            if each.startswith("edge.control.")}
    assert used == {"edge.control.commands"}


def test_the_page_knows_the_appliance_from_outside() -> None:
    """Its socket, its journal, its state directory and the workshop: nothing that hears."""
    used = {each for path in FILES if part(path) == "page" for each in imports(path) if each.startswith("edge.")}
    doors = {"sinks": {"watching", "journal", "bucket"}, "control": {"commands"}, "model": {"placing", "judged"}}
    for room, open_to_it in doors.items():
        assert {each.split(".")[2] for each in used if each.startswith(f"edge.{room}.")} <= open_to_it
    importers = {part(path) for path in FILES if any(each.startswith("edge.page.") for each in imports(path))}
    assert importers <= {"page", "cli"}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def arrows() -> dict[str, set[str]]:
    """Each module of edge/ with the modules of edge/ that it imports, inside functions too."""
    known = {module(path): path for path in FILES}
    return {name: {found for each in imports(path) if (found := each if each in known else each.rpartition(".")[0]) in known}
            - {name, "edge"} for name, path in known.items()}


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of names that reach one another along the arrows."""
    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = arrows.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return seen

    reach = {name: reached(name) for name in arrows}
    groups = {tuple(sorted({name} | {other for other in reach[name] if name in reach[other]}))
              for name in arrows if name in reach[name]}
    return [list(group) for group in sorted(groups)]


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == [["b", "c"]]
    assert circles({"a": {"a"}}) == [["a"]]


@pytest.mark.big
def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(arrows()) == []


@pytest.mark.big
@pytest.mark.parametrize("depth", [2, 3])
def test_no_package_imports_itself_by_way_of_others(depth: int) -> None:
    """Depth 2: the rooms of edge/ (edge.sinks, edge.listener). Depth 3: the rooms inside each of them too."""
    def room(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    between: dict[str, set[str]] = {}
    for name, found in arrows().items():
        between.setdefault(room(name), set()).update({room(each) for each in found} - {room(name)})
    between.pop("edge", None)
    assert circles(between) == []


@pytest.mark.big
@pytest.mark.parametrize(("library", "home"), ONE_FILE.items())
def test_each_library_is_imported_in_one_file(library: str, home: str) -> None:
    users = [str(path.relative_to(ROOT)) for path in FILES
             if any(name == library or name.startswith(library + ".") for name in imports(path))]
    assert len(users) <= 1
    assert all(user.startswith(home) for user in users)


@pytest.mark.big
@pytest.mark.parametrize(("library", "room"), ONE_ROOM.items())
def test_these_libraries_stay_in_their_room(library: str, room: str) -> None:
    users = {str(path.relative_to(ROOT)) for path in FILES if any(name.split(".")[0] == library for name in imports(path))}
    assert users and all(user.startswith(room) for user in users)


def test_no_file_is_long_and_none_is_a_drawer() -> None:
    for path in [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "models").rglob("*.py"))]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 250, path
        assert path.stem not in {"utils", "util", "helpers", "common", "manager", "misc"}, path


def test_features_and_decision_read_no_clock_and_start_no_thread() -> None:
    for path in FILES:
        if part(path) in {"features", "decision"}:
            roots = {name.split(".")[0] for name in imports(path)}
            assert not roots & {"time", "datetime", "threading", "os", "pathlib", "io", "socket"}, path


def test_the_listener_fits_and_never_sees_the_workshop() -> None:
    assert not any(name.startswith("edge.learn") for name in imports(EDGE / "listener.py"))
    assert not any(name.startswith("edge.learn") for name in imports(EDGE / "app.py"))
