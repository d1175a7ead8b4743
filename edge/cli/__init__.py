"""Arguments in, exit codes out. No logic: each command's module hands over to the parts that do the work."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge import __version__
from edge.cli.parser import Parser
from edge.errors import EdgeError

COMMANDS = {
    "run": "hear the microphone (or what the settings name) until stopped",
    "demo": "hear the bundled sounds: private broker, simulated pins, a subscriber's view",
    "classify": "say what is in recordings: scores of every patch, and events",
    "page": "serve the page in the browser: what is heard and what was heard, and what an owner can make right",
    "watch": "show what is heard now: levels, probabilities against thresholds, events, and why one was not raised",
    "evaluate": "measure a model on labelled recordings",
    "calibrate": "set thresholds for this room, or by labelled recordings",
    "teach": "teach the model a sound of your own, from recordings or the microphone",
    "feedback": "say whether an event was right or wrong; its target is fitted again",
    "devices": "list microphones with what they can do",
    "check": "look at settings, model, microphone, broker and pins; say what to do about each finding",
    "doctor": "all that check looks at, and the board and the service that runs; --bundle FILE to ask for help with",
    "model": "install, list, show, verify, remove, pack or export models",
    "update": "update the image: verify a signed bundle, install it into the other slot; what failed comes back by itself",
    "bench": "measure speed, memory and start-up beside a bare interpreter",
}


def console(program: Callable[[], int] | None = None) -> int:
    """The program's entry: `main` (or another one) with a terminal, pipes and signals around it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (for good)
        # File names need not be text, terminals need not be UTF-8.
        getattr(sys, name).reconfigure(errors="backslashreplace")
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # so that whatever was started is ended; `run` has its own way
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        code = (program or main)()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader of our output went away (`edge-audio ... | head`): nothing is left to be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is not None:
            raise
        print(f"edge-audio: standard output: found {error.strerror}; wanted room for what is said", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 ok, 1 a failure or a found difference, 2 bad usage, settings or input."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = Parser(
        prog="edge-audio", description="Hears sounds on a small board and says so over MQTT and on GPIO pins.",
        epilog="Examples:\n  edge-audio demo\n  edge-audio run --config edge-audio.toml\n"
               "  edge-audio classify door.wav --top 3\n\nEach command explains itself: edge-audio COMMAND --help")
    parser.add_argument("--version", action="version", version=f"edge-audio {__version__}")
    commands = parser.add_parts("COMMAND")
    asked = next((word for word in given if word in COMMANDS), None)
    for name, help_line in COMMANDS.items():
        # Only the asked command's module is imported: `devices` needs no model, `model list` no microphone.
        module = importlib.import_module(f"edge.cli.{name}") if name == asked else None
        command = commands.add_parser(name, help=help_line, description=module.__doc__ if module else help_line,
                                      epilog=getattr(module, "EXAMPLES", None))
        if module is not None:
            module.arguments(command)
            run = module.run
    options = parser.read(given)
    try:
        return int(run(options))
    except EdgeError as error:
        file = getattr(options, "config", None)  # what is wrong with a value of it may only be known once it is used
        print(f"edge-audio: {f'{file}: ' * (file is not None and error.thing.startswith('['))}{error}", file=sys.stderr)
        return error.exit_code
