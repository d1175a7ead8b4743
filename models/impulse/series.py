"""How much a series of onsets counts beside the patches of a lasting target: fits the numbers and writes them.

    python models/scenes/build.py SCENES
    python -m models.impulse.series SCENES --model starter
    python -m models.impulse.series SCENES --model yamnet --state-dir STATE

The look network and the model hear the scenes that choose (SCENES/lasting/choose, SCENES/onsets/choose) and training
recordings in the quiet (EDGE_AUDIO_SHARED), as the appliance does. The weights are fitted by maximum likelihood. Then the
offset is lowered until the series raises ALARMS false alarms an hour at most. The numbers go into manifest.json of
`--folder`; those of other backbones stay.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.control.loading import NamedModel, find_model, open_looks
from edge.decision.calibration import FARTHEST_LOGIT, logit_of
from edge.decision.lookout import Lookout, LookShape
from edge.decision.onset import OnsetDetector, decibels
from edge.decision.rows import Rows
from edge.decision.series import LEAST, PATCHES, WINDOW
from edge.decision.targets import Calibrated
from edge.errors import ModelError
from edge.features.frontend import FrontEnd
from edge.features.look import AFTER, EARLY, HISTORY, look
from edge.model.classifier import Model
from edge.model.impulse import UNCALIBRATED, LookNetwork, LookSeries, impulse_text, load_impulse_manifest
from edge.model.look_offer import Stage
from edge.model.manifest_file import MANIFEST
from edge.state import default_state_dir
from edge.stream import FRAME_STEP, PATCH_SAMPLES, SAMPLE_RATE, Block, StreamFormat
from models.impulse.scene_sound import samples_of
from models.measuring.evaluate_onsets import read_scenes
from models.measuring.lasting import AROUND_SECONDS, CLASSES

Floats = npt.NDArray[np.float64]
SERIES = (("typing", "key_press"),)
"""Targets that are series, each with its label."""
HOP = 3_840
ALARMS = 2.0
"""False alarms an hour that a series raises where the patches alone raise none, at most."""
SURE_SECONDS = 1.2
"""A patch that ends so long after a sound's beginning is fitted as one of that sound."""
DRAWN_IN = 1.0
"""Ridge on the weights: as much as one patch may say."""
CLASS_SECONDS, OWN_SECONDS, CLIP_SECONDS, PAUSE_SECONDS = 80.0, 300.0, 12.0, 2.5
"""Training recordings: seconds of each class, of the target's own, of each clip, and of quiet after each."""
UNUSED = {"keyboard_key", "typewriter", "mouse_click", "rir"}
"""Classes whose sounds in a row may be called typing, and rooms."""


@dataclass(frozen=True)
class Scene:
    """What is fitted on: samples int16 at 16 kHz, and where the target sounds (from, to, in seconds)."""

    samples: npt.NDArray[np.int16]
    sounds: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Followed:
    """A scene's patches: seconds of their ends, and for each the patch's own logit, and what a series counts.

    counted: float64 `(n, 3)`: mean logit of the patches, number of onsets, sum of the looks' logits. whole: bool `(n,)`,
    there are onsets enough.
    """

    ends: Floats
    alone: Floats
    counted: Floats
    whole: npt.NDArray[np.bool_]
    scene: Scene


def main() -> None:
    """Arguments in, manifest out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path, help="folder of models/scenes/build.py")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, default=None)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent, help="of the look network")
    options = parser.parse_args()
    manifest = load_impulse_manifest(options.folder)
    network = open_looks(options.folder, manifest)
    state_dir = options.state_dir or default_state_dir()
    named = find_model(options.model, state_dir)
    served = named.calibrations(named.open(), named.ask(()), state_dir).serving
    fitted = [fit_series(named, network, target, label, options.scenes, served.get(target)) for target, label in SERIES]
    new = {(one.backbone, one.target) for one in fitted}
    kept = [one for one in manifest.series if (one.backbone, one.target) not in new]
    changed = replace(manifest, series=(*kept, *fitted))
    changed.check(str(options.folder / MANIFEST))
    (options.folder / MANIFEST).write_text(impulse_text(changed), encoding="utf-8")
    for one in fitted:
        print(one)


def fit_series(named: NamedModel, network: LookNetwork, target: str, label: str, folder: Path,
               calibration: Calibrated | None) -> LookSeries:
    """The numbers of one target with one backbone and the calibration that serves it.

    Raises SourceError for scenes that cannot be read, ModelError for a calibration with two slopes.
    """
    suggested = next(one for one in named.manifest.targets if one.name == target)
    model = named.open()
    rows = [model.labels.index(own) for own in suggested.labels]
    stage = Stage(calibration.scale, calibration.offset) if calibration else UNCALIBRATED
    if calibration and calibration.scale_below != calibration.scale:
        raise ModelError(f"calibration of {target}", found="two slopes", wanted="one (Platt)")
    own_class = CLASSES.get(target, target)
    chosen = (scene for kind in ("lasting", "onsets") for scene in _scenes(folder / kind / "choose", own_class))
    heard = [follow(scene, model, rows, network, network.labels.index(label), stage)
             for scene in itertools.chain(chosen, _training(own_class))]
    threshold = (calibration or suggested).threshold
    return LookSeries(named.backbone, target, label, *fit(heard, logit_of(threshold)), stage)


def fit(heard: list[Followed], threshold: float) -> tuple[float, float, float, float]:
    """Weights of the patches' mean logit, of an onset, of a look's logit; the offset. threshold: the target's, a logit."""
    some = [_fitted_on(one) for one in heard]
    values = np.concatenate([np.c_[one.counted, np.ones(len(one.ends))][counts]
                             for one, (counts, _) in zip(heard, some, strict=True)])
    goals = np.concatenate([sounds[counts] for counts, sounds in some]).astype(np.float64)
    patch, onset, look_weight, offset = _logistic(values, goals).tolist()
    weights = np.array([max(patch, 0.0), onset, max(look_weight, 0.0)])
    most = ALARMS * sum(len(one.scene.samples) for one in heard) / SAMPLE_RATE / 3600.0
    while sum(alarms(one, weights, offset, threshold) for one in heard) > most:
        offset -= 0.05
    patch, onset, look_weight = weights.tolist()
    return round(patch, 4), round(onset, 4), round(look_weight, 4), round(offset, 4)


def _logistic(values: Floats, goals: Floats) -> Floats:
    """Weights float64 `(k,)` of values `(n, k)` by maximum likelihood: Newton's steps, the weights drawn in a little."""
    found = np.zeros(values.shape[1])
    for _ in range(50):
        said = 1.0 / (1.0 + np.exp(-np.clip(values @ found, -30.0, 30.0)))
        slope = values.T @ (goals - said) - DRAWN_IN * found
        bend = (values * (said * (1.0 - said))[:, None]).T @ values + DRAWN_IN * np.eye(len(found))
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    return found


def alarms(one: Followed, weights: Floats, offset: float, threshold: float) -> int:
    """Events that a series raises where nothing of the target sounds, and no patch alone comes over the threshold."""
    over = one.whole & (one.counted @ weights + offset >= threshold)
    away = ~_near(one, AROUND_SECONDS, AROUND_SECONDS + PATCH_SAMPLES / SAMPLE_RATE)
    alone = one.ends[one.alone >= threshold]
    events, last = 0, -np.inf
    for end in one.ends[over & away]:
        if end - last > 2.0:
            events += not np.any(np.abs(alone - end) <= 2.0)
        last = end
    return events


def _near(one: Followed, before: float, after: float) -> npt.NDArray[np.bool_]:
    near = np.zeros(len(one.ends), np.bool_)
    for start, stop in one.scene.sounds:
        near |= (one.ends >= start - before) & (one.ends <= stop + after)
    return near


def _fitted_on(one: Followed) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Patches that are fitted on, and those in which the target sounds for sure."""
    sounds = _near(one, -SURE_SECONDS, 0.0)
    return sounds | ~_near(one, 0.0, 2.2), sounds


def follow(scene: Scene, model: Model, rows: list[int], network: LookNetwork, label: int, stage: Stage) -> Followed:
    """Hear a scene. rows: the target's, of the model. label: row of the look network. stage: the target's calibration."""
    front = FrontEnd(wants=model.wants, patch_samples=PATCH_SAMPLES, hop_seconds=HOP / SAMPLE_RATE)
    detector, lookout, kept = OnsetDetector(), Lookout(LookShape(EARLY, AFTER, HISTORY)), Rows()
    onsets: list[int] = []
    looks: dict[int, float] = {}
    patches: list[float] = []
    ends, counted, whole = [], [], []
    # Blocks end where patches end, so that no later row is known.
    starts = [0, *range(PATCH_SAMPLES % HOP, len(scene.samples), HOP)]
    for start, stop in itertools.pairwise([*starts, len(scene.samples)]):
        found = front.push(Block(scene.samples[start:stop], start, StreamFormat(SAMPLE_RATE, 1)))
        if len(front.rows):
            kept.hear(front.rows, front.rows_position)
            at, fresh = kept.next, kept.take(kept.end)
            heard = detector.push(fresh, at, decibels(fresh))
            lookout.onsets(heard)
            onsets += [onset.position for onset in heard if not onset.echo]
            for onset, _, row, end in lookout.due(kept.next):
                cut = kept.cut(row - FRAME_STEP * HISTORY, end)
                heard_rows = (end - row) // FRAME_STEP
                seen = network.see(look(cut, len(cut) - heard_rows, heard_rows), onset.position).logits
                assert seen is not None
                looks[onset.position] = float(seen[label])
            kept.forget(lookout.oldest_row(kept.next))
        for patch in found:
            said = model.score(patch).logits
            assert said is not None
            logit = stage.scale * max(said[row] for row in rows) + stage.offset
            patches.append(float(np.clip(logit, -FARTHEST_LOGIT, FARTHEST_LOGIT)))
            end = patch.position + PATCH_SAMPLES
            own = [onset for onset in onsets if end - WINDOW <= onset < end]
            mean = float(np.mean(patches[-(PATCHES // HOP + 1):]))
            counted.append((mean, len(own), sum(looks.get(onset, 0.0) for onset in own)))
            whole.append(len(own) >= LEAST and own[-1] >= patch.position)
            ends.append(end / SAMPLE_RATE)
    return Followed(np.array(ends), np.array(patches), np.array(counted, np.float64).reshape(-1, 3),
                    np.array(whole, np.bool_), scene)


def _scenes(folder: Path, own_class: str) -> Iterator[Scene]:
    for name, _, _, placed in read_scenes(folder):
        sounds = tuple((one.onset, one.offset) for one in placed if one.label == own_class)
        yield Scene(samples_of(folder / f"{name}.wav"), sounds)


def _training(own_class: str) -> Iterator[Scene]:
    """Training recordings, a scene for each class, seeded: at 3 to 25 dB under full scale, over noise at -70 dB."""
    from clips import read_clip, training_clips

    chance = np.random.default_rng(1)
    clips = training_clips()
    for kind in sorted({clip.label for clip in clips} - UNUSED):
        own = [clip for clip in clips if clip.label == kind]
        parts, sounds, length = [np.zeros(SAMPLE_RATE)], [], 1.0
        for number in chance.permutation(len(own)):
            clip = read_clip(own[number])[: round(CLIP_SECONDS * SAMPLE_RATE)].astype(np.float64)
            loud = clip / (np.abs(clip).max() + 1e-9) * 10.0 ** (-chance.uniform(3.0, 25.0) / 20.0)
            sounds.append((length, length + len(clip) / SAMPLE_RATE))
            parts += [loud, np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE))]
            length += len(clip) / SAMPLE_RATE + PAUSE_SECONDS
            if length > (OWN_SECONDS if kind == own_class else CLASS_SECONDS):
                break
        mixed = np.concatenate(parts)
        mixed += chance.normal(0.0, 10.0 ** (-70.0 / 20.0), len(mixed))
        yield Scene((np.clip(mixed, -1.0, 1.0) * 32767.0).astype(np.int16), tuple(sounds) if kind == own_class else ())


if __name__ == "__main__":
    main()
