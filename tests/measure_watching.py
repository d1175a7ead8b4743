"""What a watcher costs: processor time of the appliance with nobody at the watch socket, with a watcher, bands, or sound.

    python -m tests.measure_watching [--rounds 7] [--format json] [--write]

The appliance is a process of its own that hears a bundled recording over and over, in real time. In each round every
state is measured once, over one whole turn of the recording, so that the sound is the same in all. The figures are medians
of the rounds: milliseconds of one core for a second of sound, and the ratio to nobody in the same round. --write puts them
into deploy/docs/watch.md. Linux only.
"""

from __future__ import annotations

import argparse
import json
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

from edge.sinks.watching.client import WatchClient

ROOT = Path(__file__).resolve().parents[1]
RECORDING, GUIDE = ROOT / "models" / "demo" / "claps.wav", ROOT / "deploy" / "docs" / "watch.md"
STATES: dict[str, tuple[str, ...] | None] = {
    "nobody": None, "a watcher": (), "a watcher that wants bands": ("bands",),
    "a watcher that wants bands, pins and health": ("bands", "health", "pins"), "a watcher that wants the sound": ("sound",)}
PLAY = """import sys, time, wave
with wave.open(sys.argv[1]) as file:
    sound = file.readframes(file.getnframes())
began, played = time.monotonic(), 0
while True:
    for start in range(0, len(sound), 3200):
        sys.stdout.buffer.write(sound[start:start + 3200])
        sys.stdout.buffer.flush()
        played += len(sound[start:start + 3200]) / 32000
        time.sleep(max(began + played - time.monotonic(), 0.0))
"""
SETTLE_SECONDS, PATIENCE_SECONDS = 1.0, 60.0


def main() -> None:
    """Arguments in, figures out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="how often each state is measured")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the figures into deploy/docs/watch.md")
    options = parser.parse_args()
    with wave.open(str(RECORDING)) as file:
        assert (file.getframerate(), file.getnchannels()) == (16_000, 1)
        turn_seconds = file.getnframes() / 16_000
    with tempfile.TemporaryDirectory(prefix="edge-audio-watching-") as name:
        found = measured(Path(name), options.rounds, turn_seconds)
    ratios = {state: statistics.median(one / nobody for one, nobody in zip(costs, found["nobody"], strict=True))
              for state, costs in found.items()}
    medians = {state: statistics.median(costs) for state, costs in found.items()}
    lines = ["| at the watch socket | ms of a core for a second of sound | against nobody |", "|---|---|---|"]
    lines += [f"| {state} | {medians[state]:.1f} | {ratios[state]:.2f} |" for state in STATES]
    table = "\n".join([*lines, ""])
    print(json.dumps({"ms": medians, "ratio": ratios, "rounds": found}, indent=1) if options.format == "json" else table)
    if options.write:
        put_into(GUIDE, "watching", table)


def put_into(guide: Path, mark: str, table: str) -> None:
    """Replace what stands between the comments of this mark."""
    text = guide.read_text(encoding="utf-8")
    text, count = re.subn(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", lambda found: found[1] + table + found[2], text,
                          flags=re.DOTALL)
    assert count == 1, f"{guide}: found {count} places for {mark}; wanted one"
    guide.write_text(text, encoding="utf-8")


def measured(folder: Path, rounds: int, turn_seconds: float) -> dict[str, list[float]]:
    """Milliseconds of one core for a second of sound, by state, one figure of each round."""
    play, settings = folder / "play.py", folder / "edge-audio.toml"
    play.write_text(PLAY, encoding="utf-8")
    command = json.dumps([sys.executable, str(play), str(RECORDING)])
    settings.write_text(f'[source]\nkind = "command"\ncommand = {command}\nrate = 16000\nchannels = 1\n[log]\nevents = ""\n',
                        encoding="utf-8")
    found: dict[str, list[float]] = {state: [] for state in STATES}
    run = [sys.executable, "-m", "edge", "run", "--config", str(settings), "--state-dir", str(folder / "state")]
    with subprocess.Popen(run, stderr=subprocess.DEVNULL) as appliance:
        try:
            await_hearing(folder / "state")
            for _ in range(rounds):
                for state, wants in STATES.items():
                    found[state].append(_cost(appliance.pid, folder / "state", wants, turn_seconds))
        finally:
            appliance.terminate()
    return found


def await_hearing(state_dir: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (state_dir / "watch.sock").exists():
        assert time.monotonic() < deadline, "no appliance"
        time.sleep(0.1)
    client = WatchClient(state_dir)
    while not any(told["kind"] == "hearing" for told in client.take()):
        assert time.monotonic() < deadline, "nothing is heard"
        select.select([client], [], [], 1.0)
    client.close()


def _cost(process: int, state_dir: Path, wants: tuple[str, ...] | None, seconds: float) -> float:
    client = None if wants is None else WatchClient(state_dir)
    if client is not None and wants:
        client.want(*wants)
    kinds: set[str] = set()

    def look(until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            select.select([client] if client is not None else [], [], [], left)
            kinds.update(told["kind"] for told in (client.take() if client is not None else ()))

    look(time.monotonic() + SETTLE_SECONDS)
    before, began = busy_seconds(process), time.monotonic()
    look(began + seconds)
    busy, lasted = busy_seconds(process) - before, time.monotonic() - began
    if client is not None:
        assert client.ended is False and "hearing" in kinds
        assert {"bands", "sound"} & kinds == {"bands", "sound"} & set(wants or ())
        client.close()
    return 1_000.0 * busy / lasted


def busy_seconds(process: int) -> float:
    """Processor time that all threads of a process have had, in seconds: more exact than its ticks of 10 ms."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


if __name__ == "__main__":
    main()
