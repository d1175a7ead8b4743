"""What a start does once: it reads the model's manifest, and resolves the targets."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

from edge.app import build
from edge.decision import resolve
from edge.listener import Listener
from edge.settings import CommandSettings, Settings, TargetSettings
from tests.fakes import FakeSource

OPENED: Counter[str] = Counter()


def _opened(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        OPENED[Path(arguments[0]).name] += 1


sys.addaudithook(_opened)  # stays: Python has no way to take one out


def calls(do: Callable[[], object], *functions: Callable[..., object]) -> list[int]:
    """How often each of `functions` is called while `do` runs."""
    codes: dict[CodeType, int] = {function.__code__: 0 for function in functions}  # type: ignore[attr-defined]

    def called(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in codes:
            codes[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        do()
    finally:
        sys.setprofile(before)
    return list(codes.values())


def test_a_start_resolves_targets_once_and_reads_the_manifest_once(tmp_path: Path) -> None:
    settings = Settings(target=(TargetSettings(name="hand_clap"), TargetSettings(name="typing")),
                        command=CommandSettings(allow=("threshold",)))
    (tmp_path / "commanded.json").write_text('{"schema": 1, "muted": false, "thresholds": {"starter": {"typing": 0.9}}}')
    OPENED.clear()

    def start() -> None:
        build(settings, tmp_path, source=FakeSource([])).run()

    assert calls(start, resolve.ask, resolve.resolve) == [1, 1]
    assert OPENED["manifest.json"] == 2  # the model's and the look network's


def test_the_listeners_constructor_takes_ten_things_at_most() -> None:
    assert len(inspect.signature(Listener).parameters) <= 10
