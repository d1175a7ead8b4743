"""Hear the bundled sounds: the whole appliance with the embedded model, a private broker and simulated pins.

Each event is shown as a subscriber receives it, with the pin changes beside it: first in real time, then as fast as
this machine can. Ends with what was expected against what was heard; exit code 1 if they differ. What is expected was
written for the starter: another model (--model) may differ.
"""

from __future__ import annotations

import argparse

from edge.cli.demonstration.scenes import load_scenes
from edge.cli.demonstration.show import Outcome, demo_settings, play
from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_model_for
from edge.model.embedded import embedded_folder
from edge.settings import Settings

EXAMPLES = """Examples:
  edge-audio demo
  edge-audio demo --fast            only as fast as possible
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `demo` takes."""
    common(parser)
    parser.add_argument("--fast", action="store_true", help="leave out the real-time round")


def run(options: argparse.Namespace) -> int:
    """Play every scene, then compare."""
    base = settings_from(options)
    state_dir = state_dir_from(options)
    scenes = load_scenes(embedded_folder() / "demo")
    model = load_model_for(base.model, state_dir)
    targets = tuple(dict.fromkeys([event.target for scene in scenes for event in scene.events]))
    settings: Settings = demo_settings(base, targets)
    log_to_stderr(settings.log.level)
    print(f"{model.describe()}\nevents as a subscriber receives them, pins of a simulated board beside them")
    outcomes: list[Outcome] = []
    for paced in (False,) if options.fast else (True, False):
        for scene in scenes:
            print(f"\n{scene.file.name}, {'in real time' if paced else 'as fast as possible'}", flush=True)
            outcomes.append(play(scene, settings, state_dir, paced=paced, say=lambda line: print(line, flush=True)))
    return _conclude(outcomes)


def _conclude(outcomes: list[Outcome]) -> int:
    print(f"\n{'scene':<28}{'speed':<11}{'expected':>8}{'heard':>7}  verdict")
    for outcome in outcomes:
        expected = len(outcome.scene.events)
        heard = expected - len(outcome.missed) + len(outcome.extra)
        print(f"{outcome.scene.file.name:<28}{'real time' if outcome.paced else 'fast':<11}{expected:>8}{heard:>7}  "
              f"{'as expected' if outcome.right else 'DIFFERENT'}")
        for missed in outcome.missed:
            print(f"    missed: {missed.target} at {missed.start_seconds:.2f} s")
        for extra in outcome.extra:
            print(f"    heard, not expected: {extra.target} at {extra.start_seconds:.2f} s")
    return 0 if all(outcome.right for outcome in outcomes) else 1
