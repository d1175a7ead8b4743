"""What three corrections of the same false alarm do: is it silent, and what of the target is lost?

    python tests/learn/measure_feedback.py [--model starter] [--state-dir DIR] [--cases 4] [--half choose] TARGET=CLASS ...

For each target, recordings of `eval` that raise it wrongly are played back, each time through another room and
microphone, until three events were judged wrong. Then the recording and two playbacks that were not judged are heard:
how many still raise it? And of the recordings of the target, how many are still heard: patch by patch over the threshold,
or as events where looks decide? Nothing of it trains anything: corrections go to a folder that is thrown away. --half: only
recordings of sources that lie in this half of eval's (models/scenes/halves.csv).
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from conftest import shared_folder

from edge.app import looks_of, packing
from edge.control.loading import load_calibrations, load_model, model_folder
from edge.decision.calibration import probability_of
from edge.decision.resolve import resolve_targets
from edge.decision.targets import Target
from edge.learn.augment import altered
from edge.model.classifier import Split
from edge.settings import Settings, TargetSettings
from edge.sinks.journal.entries import entry_of
from edge.stream import Event
from edge.workshop.classify import classify
from edge.workshop.feedback import judge
from edge.workshop.lessons import Lessons
from edge.workshop.recordings import read_recordings

CORRECTIONS, PLAYBACKS = 3, 12
HOP_SECONDS = 0.24


@dataclass(frozen=True)
class Outcome:
    """One false alarm corrected three times. before, after: recordings of the target that are heard, of `present`."""

    target: str
    clip: str
    corrected: int
    playbacks: int
    still: int
    before: int
    after: int
    present: int


class Bench:
    """One target of one model, with the embeddings of recordings that hold it."""

    def __init__(self, model: str, state_dir: Path, target: str, clips: list[Path]) -> None:
        self.settings = replace(Settings(), target=(TargetSettings(name=target),))
        self.settings = replace(self.settings, model=replace(self.settings.model, name=model))
        self.state_dir, self.name = state_dir, target
        self.model = load_model(model, state_dir=state_dir)
        self.clips = clips
        self.present = [] if self.target().looked else [self.embeddings(path) for path in clips]

    def embeddings(self, sound: Path) -> NDArray[np.float32]:
        found = classify(self.model, sound, hop_seconds=HOP_SECONDS, bands=False).embeddings
        assert found is not None
        return found

    def events(self, samples: NDArray[np.int16] | Path) -> list[Event]:
        """What the appliance would say of it, with all that it was told so far."""
        served = load_calibrations(self.model, self.settings, self.state_dir)
        result = classify(self.model, samples, hop_seconds=HOP_SECONDS, targets=self.settings.target,
                          calibrations=served.serving, corrections=served.corrections, bands=False, embeddings=False)
        return list(result.events)

    def target(self) -> Target:
        served = load_calibrations(self.model, self.settings, self.state_dir)
        return resolve_targets(self.settings.target, self.model.labels, self.model.targets, calibrations=served.serving,
                               corrections=served.corrections, offers=self.model.offers).sounds[0]

    def recall(self) -> int:
        """How many of the recordings of the target reach its threshold."""
        target, model = self.target(), self.model
        if target.looked:
            return sum(bool(self.events(path)) for path in self.clips)
        assert isinstance(model, Split)
        heard = 0
        for embeddings in self.present:
            logits = (embeddings @ model.head.weights[target.rows].T + model.head.bias[target.rows]).max(axis=1)
            if target.correction is not None:
                logits = logits + np.array([target.correction.logit(one) for one in embeddings])
            best = max(probability_of(float(logit), target.scale, target.offset, target.scale_below) for logit in logits)
            heard += best >= target.threshold
        return heard

    def judge_wrong(self, event: Event) -> None:
        """As `edge-audio feedback ID wrong` does."""
        lessons = Lessons(self.settings.model.name, model_folder(self.settings.model.name, self.state_dir), self.state_dir)
        entry = entry_of(event, pack=packing(self.model.manifest.backbone), labels=self.model.labels,
                         backbone=lessons.taught.backbone_sha256, looks=looks_of(self.model))
        lessons.save(judge(lessons, self.settings, entry, right=False, target=self.name, judged_at="2026-11-22").taught)


def correct(bench: Bench, clip: Path) -> Outcome | None:
    """Judge three events of one recording's playbacks wrong; None where it raises too few."""
    recordings, _ = read_recordings([clip])
    if not recordings:
        return None
    samples = recordings[0].samples
    playbacks = [altered(samples, np.random.default_rng([7, number])) for number in range(PLAYBACKS)]
    if not bench.events(samples):
        return None
    before, corrected = bench.recall(), 0
    # Every event is judged before any is corrected: three corrections, not one and two that nothing was left of.
    wrong = []
    for playback in playbacks[2:]:
        found = bench.events(playback)
        if found:
            wrong.append(found[0])
        if len(wrong) == CORRECTIONS:
            break
    if len(wrong) < CORRECTIONS:
        return None
    for event in wrong:
        bench.judge_wrong(event)
        corrected += 1
    unjudged = [samples, *playbacks[:2]]
    still = sum(bool(bench.events(playback)) for playback in unjudged)
    return Outcome(bench.name, f"{clip.parent.name}/{clip.name}", corrected, len(unjudged), still, before, bench.recall(),
                   len(bench.clips))


def clips_of(classes: set[str], *, without: bool = False, split: str = "eval", half: str = "") -> list[tuple[Path, str]]:
    """Recordings of these classes, or of all others, with the source of each. half: of eval's sources; "": both."""
    data, listed = shared_folder() / "data", Path(__file__).resolve().parents[2] / "models" / "scenes" / "halves.csv"
    with listed.open(encoding="utf-8") as file:
        halves = {row["unit"]: row["half"] for row in csv.DictReader(file)}
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        return [(data / row["path"], row["source_repo"]) for row in csv.DictReader(file)
                if row["split"] == split and (row["class"] in classes) != without and float(row["duration_s"]) < 15.0
                and (not half or halves.get(row["source_repo"]) == half)]


def outcomes(model: str, state_dir: Path, target: str, classes: set[str], *, cases: int, among: list[Path],
             present: list[Path]) -> list[Outcome]:
    """The first `cases` false alarms that `among` holds, each corrected from the same beginning."""
    bench = Bench(model, state_dir, target, present)
    found: list[Outcome] = []
    for clip in among:
        if len(found) == cases:
            break
        with tempfile.TemporaryDirectory() as fresh:
            bench.state_dir = Path(fresh)
            if (state_dir / "models").is_dir():
                (Path(fresh) / "models").symlink_to(state_dir / "models")
            outcome = correct(bench, clip)
        if outcome is not None:
            found.append(outcome)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what three corrections of a false alarm do.")
    parser.add_argument("pairs", nargs="*", default=["hand_clap=hand_clap", "typing=keyboard_typing,keyboard_key",
                                                     "dog_bark=dog_bark"], metavar="TARGET=CLASS,CLASS")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--half", choices=["choose", "report"], default="")
    options = parser.parse_args()
    print("target       false alarm                                              silent  target heard before, after")
    every = list[Outcome]()
    for pair in options.pairs:
        target, classes = pair.split("=")
        names = set(classes.split(","))
        rest = clips_of(names | {"applause"}, without=True, half=options.half)
        order = np.random.default_rng(3).permutation(len(rest))
        among = [rest[place][0] for place in order]
        present = [path for path, _ in clips_of(names, half=options.half) or clips_of(names, split="train")]
        for one in outcomes(options.model, options.state_dir, target, names, cases=options.cases, among=among,
                            present=present):
            every.append(one)
            lost = 100 * (one.before - one.after) / one.present
            print(f"{one.target:12} {one.clip[:56]:56} {one.playbacks - one.still} of {one.playbacks}  {one.before} "
                  f"{one.after} of {one.present} ({lost:+.1f} points lost)", flush=True)
    silent, played = sum(one.playbacks - one.still for one in every), sum(one.playbacks for one in every)
    points = [100 * (one.before - one.after) / one.present for one in every]
    whole = sum(one.still == 0 for one in every)
    print(f"{len(every)} false alarms, {whole} of them silent in each playback; {silent} of {played} playbacks silent; "
          f"{np.mean(points) if points else 0.0:.1f} points lost on average, {max(points, default=0.0):.1f} at most")


if __name__ == "__main__":
    main()
