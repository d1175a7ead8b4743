"""What one judgement does, on the onsets of scenes: is the like of a false alarm silent, are sounds of the target lost?

    python -m models.impulse.onsets SCENES/onsets/choose CHOOSE.npz
    python -m models.impulse.beside SCENES/onsets/choose CHOOSE.npz STARTER.npz --model starter
    python -m models.impulse.feedback CHOOSE.npz STARTER.npz

Each false alarm of each target is judged wrong by itself, and with two more of its source, as `edge-audio feedback` would
take it in. Each sound that another target heard instead (MISSED of them at most) is judged right by itself. An onset counts
as heard where a look, or a look beside a patch, is over the threshold; which target is surest plays no part. The source of a
false alarm of a background is its scene.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.control.loading import impulse_folder, open_looks
from edge.decision.calibration import of_rise
from edge.decision.detection import NEAR
from edge.decision.lookout import LEAST_FLUX_DB
from edge.decision.resolve import resolve_targets
from edge.decision.targets import Correction, Target
from edge.learn.feedback import Corrected, Standing
from edge.learn.look_bank import load_labelled, load_look_bank
from edge.learn.look_feedback import Event, LookFit
from edge.model.head import against_the_others
from edge.model.impulse import LookNetwork, LookOffer, load_impulse_manifest
from edge.settings import TargetSettings
from models.impulse.onsets import cells

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]
MISSED = 60
SEED = 5
HEADER = "| target | judged | cases | as judged | others of its source | of other sources | lost | more false alarms |"
SCORED = ("hand_clap", "finger_snap", "door_knock")
"""Targets that the scenes hold."""


@dataclass(frozen=True)
class Scenes:
    """Onsets of scenes that are looked at. embeddings float32 (n, 2, E); label, source, inside, rise (dB): as onsets.py has
    them, the source of a background's onset being its scene; hours: of all scenes."""

    embeddings: Floats
    label: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]
    inside: npt.NDArray[np.str_]
    rise: Floats
    hours: float


@dataclass(frozen=True)
class Heard:
    """How far each look at each onset brings a target over its threshold, float32 (n, 2), the higher of alone and beside a
    patch; bare: the same as logits."""

    over: Floats
    bare: Floats

    @property
    def heard(self) -> Flags:
        """Which onsets are heard."""
        return np.asarray(self.over.max(axis=1) >= 0.0)

    def after(self, correction: Correction, embeddings: Floats) -> Flags:
        """Which onsets are heard with a correction. embeddings: (n, 2, E)."""
        added = np.maximum(embeddings @ correction.weights.T + correction.bias, 0.0)
        vetoes = added[..., 1:].max(axis=-1) if added.shape[-1] > 1 else 0.0
        return np.asarray((self.over + added[..., 0] - vetoes).max(axis=1) >= 0.0)


def main() -> None:
    """Arguments in, a table out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("onsets", type=Path, help="an .npz of onsets.py")
    parser.add_argument("patches", type=Path, help="an .npz of beside.py for the same onsets")
    options = parser.parse_args()
    folder = impulse_folder()
    manifest = load_impulse_manifest(folder)
    network = open_looks(folder, manifest)
    with np.load(options.onsets) as file, np.load(options.patches) as patches:
        counted = ~file["echo"] & (file["rise"] >= LEAST_FLUX_DB)
        scenes = read_scenes(file, counted, network)
        beside = {str(name): patches["logits"][counted, place] for place, name in enumerate(patches["targets"])}
        offers = {offer.name: offer for offer in manifest.offers(str(patches["backbone"]))}
    bank = load_look_bank(folder, manifest)
    targets = {name: target_of(offers[name]) for name in SCORED}
    heard = {name: hear(target, scenes, beside.get(name), network) for name, target in targets.items()}
    print(f"{len(scenes.label)} onsets in {scenes.hours:.2f} h; lost, and more in an hour: mean, median, most\n\n{HEADER}\n"
          f"{'|---' * 8}|")
    for name, target in targets.items():
        fit = LookFit(target, network)
        kept = fit.bank(bank, load_labelled(folder, manifest, name))
        taken = np.any([one.heard for other, one in heard.items() if other != name], axis=0)
        for line in (*wrong_lines(name, scenes, heard[name], fit, kept),
                     right_line(name, scenes, heard[name], taken, fit, kept)):
            print(line, flush=True)


def read_scenes(file: Any, counted: Flags, network: LookNetwork) -> Scenes:
    """Run the network on the looks of an .npz of onsets.py. counted: bool (n,), which onsets."""
    looks = file["looks"][counted]
    embeddings = np.zeros((*looks.shape[:2], network.manifest.network.output.size), np.float32)
    for place, both in enumerate(looks):
        for stage in range(looks.shape[1]):
            embedding = network.see(cells(both[stage]), 0).embedding
            assert embedding is not None
            embeddings[place, stage] = embedding
    own = file["source"][counted]
    scene = np.char.add("scene ", file["scenes"][file["scene"][counted]])
    return Scenes(embeddings, file["label"][counted], np.where(own == "", scene, own), file["inside"][counted],
                  file["rise"][counted], float(file["hours"]))


def target_of(offer: LookOffer) -> Target:
    """The target as the appliance has it where no calibration changes it, patches beside."""
    settings = [TargetSettings(name=offer.name)]
    found = resolve_targets(settings, (offer.name,), (), offers=[offer]).sounds[0]
    return replace(found, beside=offer.beside)


def hear(target: Target, scenes: Scenes, patches: Floats | None, network: LookNetwork) -> Heard:
    """How each onset comes out. patches: float32 (n,), the highest logit that a patch gives the target's labels."""
    logits = against_the_others(scenes.embeddings @ network.head.weights.T + network.head.bias)[..., target.rows[0]]
    logits = logits + of_rise(target.rise, scenes.rise)[:, None]
    assert target.stages is not None
    bare = np.stack([stage.scale * logits[:, place] + stage.offset for place, stage in enumerate(target.stages)], axis=1)
    if target.beside is not None and patches is not None:
        own = target.beside
        bare = np.maximum(bare, own.look * logits + own.patch * patches[:, None] + own.offset)
    start = np.log(target.threshold / (1.0 - target.threshold))
    return Heard(np.asarray(bare - start, np.float32), np.asarray(bare, np.float32))


def event_of(scenes: Scenes, heard: Heard, place: int, *, right: bool) -> Event:
    """What the journal would have of it: the surest look, and the other where that came near."""
    order = np.argsort(-heard.over[place])
    looks = [look for look in order if look == order[0] or heard.over[place, look] >= -NEAR]
    return Event(right, scenes.embeddings[place, looks], tuple(float(heard.bare[place, look]) for look in looks))


def wrong_lines(name: str, scenes: Scenes, heard: Heard, fit: LookFit, kept: Standing) -> list[str]:
    """Two lines: each false alarm judged by itself, and with two more of its source."""
    over = heard.heard
    false = np.flatnonzero(over & (scenes.label != name) & (scenes.inside != name))
    true = over & (scenes.label == name)
    lines = []
    for count in (1, 3):
        rows = [_wrong(place, count, false, true, scenes, heard, fit, kept) for place in false]
        sums = np.sum([row[:6] for row in rows], axis=0)
        lost = 100.0 * np.array([row[6] for row in rows]) / max(int(true.sum()), 1)
        lines.append(f"| {name} | wrong, {count} | {len(rows)} | {_share(*sums[:2])} | {_share(*sums[2:4])} | "
                     f"{_share(*sums[4:6])} | {lost.mean():.1f} %, {np.median(lost):.1f} %, {lost.max():.0f} % of "
                     f"{int(true.sum())} | |")
    return lines


def _wrong(place: int, count: int, false: Numbers, true: Flags, scenes: Scenes, heard: Heard, fit: LookFit,
           kept: Standing) -> tuple[int, ...]:
    """Silenced of judged, of the source's others, of other sources' false alarms, each with how many; sounds lost."""
    alike = [each for each in false if scenes.source[each] == scenes.source[place] and each != place]
    drawn = np.random.default_rng([SEED, int(place)]).permutation(alike).astype(int).tolist()
    judged, rest = [place, *drawn[:count - 1]], drawn[count - 1:]
    others = [each for each in false if scenes.source[each] != scenes.source[place]]
    found = fit.correct(kept, [event_of(scenes, heard, each, right=False) for each in judged])
    after = heard.after(_correction(found, fit), scenes.embeddings)
    silent = [int((~after[some]).sum()) for some in (judged, rest, others)]
    return silent[0], len(judged), silent[1], len(rest), silent[2], len(others), int((true & ~after).sum())


def right_line(name: str, scenes: Scenes, heard: Heard, taken: Flags, fit: LookFit, kept: Standing) -> str:
    """A line: each sound that another target heard instead (taken: bool (n,), the onsets that one hears), judged right."""
    over = heard.heard
    missed = np.flatnonzero(~over & (scenes.label == name))
    false = ~over & (scenes.label != name) & (scenes.inside != name)
    rows = []
    for place in np.random.default_rng(SEED).permutation(missed[taken[missed]])[:MISSED]:
        after = heard.after(_correction(fit.correct(kept, [event_of(scenes, heard, place, right=True)]), fit),
                            scenes.embeddings)
        same = missed[(scenes.source[missed] == scenes.source[place]) & (missed != place)]
        others = missed[scenes.source[missed] != scenes.source[place]]
        rows.append((after[place], 1, after[same].sum(), len(same), after[others].sum(), len(others), (after & false).sum()))
    if not rows:
        return f"| {name} | right, 1 | 0 | | | | | |"
    sums = np.sum(rows, axis=0)
    more = np.array([row[6] for row in rows]) / scenes.hours
    return (f"| {name} | right, 1 | {len(rows)} | {_share(*sums[:2])} | {_share(*sums[2:4])} | {_share(*sums[4:6])} | | "
            f"{more.mean():.1f}, {np.median(more):.1f}, {more.max():.0f} |")


def _correction(found: Corrected, fit: LookFit) -> Correction:
    return Correction(found.rows / fit.slope, found.bias / fit.slope)


def _share(some: float, every: float) -> str:
    return f"{int(some)} of {int(every)}"


if __name__ == "__main__":
    main()
