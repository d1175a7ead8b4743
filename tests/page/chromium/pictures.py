"""Takes the pictures of deploy/docs/page.md: `python -m tests.page.chromium.pictures FOLDER`, or `make page-pictures`.

What is heard in them, and taught, a real appliance hears from the bundled recordings. The history before today is made up.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from edge.settings import JournalSettings, Settings
from edge.sinks.journal.file import FILE, JournalFile
from edge.stream import new_event_id
from tests.page.chromium.board import TARGETS, hearing, settings_file, settings_text
from tests.page.conftest import serving

COLOURS = 256
"""Of a picture: so it stays small."""
PINS = "".join(f'[[pin]]\npin = "{pin}"\ntarget = "{target}"\naction = "{action}"\nfactory = "simulated"\n'
               for pin, target, action in (("GPIO17", "hand_clap", "toggle"), ("GPIO27", "siren", "hold")))
SHOTS = {
    "page-live-dark": ("#live", 1120, 780, "dark", '.row.over[data-target="typing"]', 300),
    "page-live-phone": ("#live", 390, 844, "light", '.row.over[data-target="siren"]', 1_600),
    "page-history": ("#history", 1120, 780, "light", "#past .event", 300),
}


def past(now: datetime) -> Iterator[tuple[object, ...]]:
    """Two weeks in a kitchen, as rows of the journal, oldest first."""
    chance = random.Random(7)
    moments = []
    for back in range(14):
        for _ in range(chance.choice((9, 14, 22, 35))):
            hour = chance.choice((7.3, 12.5, 18.6, 19.4)) + chance.gauss(0, 0.9)
            day = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0, microsecond=0)
            moments.append(day + timedelta(hours=min(max(hour, 5.0), 23.9)))
    for begun in sorted(moment for moment in moments if moment < now - timedelta(minutes=5)):
        target = chance.choices(TARGETS, (6, 1, 3, 2))[0]
        seconds = 0.07 if target in ("hand_clap", "door_knock") else chance.uniform(2, 30)
        told = [moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                for moment in (begun, begun + timedelta(seconds=seconds))]
        yield (new_event_id(begun.timestamp()), target, target, chance.uniform(0.7, 0.99), 0.9, *told,
               chance.uniform(-45, -20))


def main() -> int:
    if len(sys.argv) != 2:
        print(f"pictures: found {len(sys.argv) - 1} arguments; wanted FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch, "state")
        file = JournalFile(state / FILE, write=True)
        file.each("INSERT INTO events (id, target, label, probability, score, started_at, ended_at, level_dbfs)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(past(datetime.now(UTC))))
        file.close()
        settings = replace(Settings(), journal=JournalSettings(sound=True))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            with (hearing(state, settings_text(("claps", "typing", "siren")) + PINS), serving(state, settings) as client):
                for name, shot in SHOTS.items():
                    take(browser, f"http://127.0.0.1:{client.port}/", folder / f"{name}.png", *shot)
            with hearing(state, settings_text(("claps",))), serving(state, settings, settings_file(state)) as client:
                take(browser, f"http://127.0.0.1:{client.port}/", folder / "page-teach.png", "#teach", 1120, 590, "light",
                     "#takes .taken:nth-child(6)", 300, begin_a_lesson)
            browser.close()
    return 0


def begin_a_lesson(page: Any) -> None:
    page.get_by_label("Name").fill("our clap")
    page.get_by_label("Name").press("Enter")


def take(browser: Any, address: str, path: Path, view: str, width: int, height: int, theme: str, until: str,
         wait: int, act: Callable[[Any], None] = lambda page: None) -> None:
    """One picture, once what it is to show is there. act: what is done on the page before."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    page.goto(address + view)
    page.wait_for_timeout(10_000)
    act(page)
    page.wait_for_selector(until, timeout=90_000)
    page.wait_for_timeout(wait)
    page.screenshot(path=path)
    page.close()
    few = Image.open(path).convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
