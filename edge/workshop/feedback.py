"""Feedback: what the owner says of an event refits a taught sound's row, or a correction beside a target of
the model's or of the look network's, what was added to it too.

A judgement is of a target with certain labels, and of what decides it, patches or looks. Where the settings give the target
others, it waits and takes no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.control.loading import find_model, impulse_folder, model_folder, taught_to
from edge.decision.targets import Target
from edge.errors import ModelError, SettingsError
from edge.learn.embedding import Embedder
from edge.learn.feedback import Corrected, Counts, Standing, fit_correction
from edge.learn.look_bank import load_labelled, load_look_bank
from edge.learn.look_feedback import Event, LookFit
from edge.learn.look_teach import heard, learn_again, look_negatives
from edge.learn.probability import Curve
from edge.learn.regression import Floats
from edge.learn.teach import Gathered, learn, negatives_for
from edge.model.classifier import Split
from edge.model.taught import Judgement, Taught, TaughtCorrection, TaughtSound
from edge.model.taught_look import TaughtLook
from edge.settings import Settings
from edge.sinks.journal.entries import Entry, find, newest, recent
from edge.sinks.journal.event_sounds import FOLDER, sound_path
from edge.sinks.journal.file import journal_path
from edge.stream import short_id
from edge.workshop.lessons import Lessons, as_served

MOST_JUDGEMENTS = 200
"""Of one target; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Judged(Counts):
    """How a refit came out, for which target, and all that the model is taught with it."""

    target: str
    taught: Taught


def take_in(settings: Settings, state_dir: Path, event: str | None, *, right: bool, target: str | None = None,
            force: bool = False) -> Judged:
    """Find an event in the journal, refit its target by what the owner says of it, and keep that.

    event: beginning or end of its id; None: the newest that can be judged. target, force: as in `judge`.
    What was taught is locked from reading to keeping. Raises SettingsError, ModelError, SinkError.
    """
    journal = journal_path(settings.journal, state_dir)
    entry = newest(journal) if event is None else find(journal, event)
    lessons = Lessons(settings.model.name, model_folder(settings.model.name, state_dir), state_dir)
    with lessons.changing():
        judged = judge(lessons, settings, entry, right=right, target=target or entry.target,
                       judged_at=datetime.now(UTC).isoformat(timespec="seconds"), force=force)
        lessons.save(judged.taught)
    return judged


def counts(judged: Judged) -> dict[str, object]:
    """How it came out, for tables and answers."""
    return {"target": judged.target, "wrong": judged.wrong, "silenced": judged.silenced, "right": judged.right,
            "heard": judged.supported, "known": judged.present, "still_heard": judged.kept}


def journal_rows(settings: Settings, state_dir: Path, count: int) -> list[dict[str, object]]:
    """The newest events of the journal with what was said of them, for a table; and their sound, where any is
    kept.

    Raises ModelError, SinkError.
    """
    taught = taught_to(settings.model.name, state_dir)
    judgements = taught.judgements if taught is not None else ()
    entries = recent(journal_path(settings.journal, state_dir), count)
    named = find_model(settings.model.name, state_dir)
    known = {named.backbone, named.looks.network.sha256 if named.looks is not None else ""} if named.backbone else set()
    rows = [_row(entry, [one for one in judgements if one.event == entry.id], entry.backbone in known) for entry in entries]
    paths = [sound_path(state_dir / FOLDER, entry.id) for entry in entries]
    if settings.journal.sound or any(path.exists() for path in paths):
        rows = [row | {"sound": str(path) if path.exists() else ""} for row, path in zip(rows, paths, strict=True)]
    return rows


def _row(entry: Entry, judgements: Sequence[Judgement], known: bool) -> dict[str, object]:
    said = ", ".join(("right" if one.right else "wrong") + (f" as {one.target}" if one.target != entry.target else "")
                     for one in judgements)
    return {"id": entry.id, "started_at": entry.started_at.isoformat(timespec="seconds"), "target": entry.target,
            "label": entry.label, "probability": round(entry.probability, 3), "level_dbfs": round(entry.level_dbfs, 1),
            "judged": said if entry.cells is not None and known else "cannot be"}


def judge(lessons: Lessons, settings: Settings, entry: Entry, *, right: bool, target: str, judged_at: str,
          force: bool = False) -> Judged:
    """Take in what the owner said of an event, and refit its target by all that was said of it. Nothing is
    written.

    target: the event's own, or the one that it should (right) or should not (wrong) have been. force: silence
    wrong ones of the model's own target whatever it costs. Raises SettingsError for an event that neither patch nor look
    made, for a target that is not heard, and for one that patches decide where a look made the event (or the other
    way); ModelError for an event of another backbone or look network.
    """
    spec = lessons.manifest.backbone
    if entry.cells is None or spec is None:
        raise SettingsError(f"event {entry.id}", found=f"one of {entry.target} that no patch made",
                            wanted="an event of a sound")
    model, sounds = as_served(settings, lessons.state_dir)
    network = model.looks.sha256 if model.looks is not None else ""
    size = {spec.sha256: spec.output.size} | ({network: model.looks.manifest.network.output.size} if model.looks else {})
    if size.get(entry.backbone) != len(entry.cells):
        beside = f", or look network {network[:12]}" if network else ""
        raise ModelError(f"event {entry.id}", found=f"one that {entry.backbone[:12]} made",
                         wanted=f"one of backbone {spec.sha256[:12]}, as of model {lessons.name}{beside}")
    own = next((each for each in sounds if each.name == target), None)
    sound = lessons.taught.sound(target)
    labels = (target,) if own is None else own.labels
    if sound is not None and labels != (target,):
        sound = None  # a target of the settings with other labels, which only has the taught sound's name
    if own is None and sound is None:
        names = ", ".join(each.name for each in sounds)
        raise SettingsError("--target", found=repr(target), wanted=f"a sound that is heard: {names}")
    by = network if own is not None and own.looked else ""
    if bool(by) != (entry.backbone == network != ""):
        raise SettingsError(f"--target {target}", found=f"a target that {'looks at onsets' if by else 'patches'} decide",
                            wanted=f"one that {'patches' if by else 'looks'} decide, as they did event {short_id(entry.id)}")

    def counts_here(one: Judgement) -> bool:
        return one.target == target and set(one.labels) == set(labels) and one.network == by

    earlier = [each for each in lessons.taught.judgements if (each.event, each.target) != (entry.id, target)]
    mine = [each for each in earlier if counts_here(each)]
    mine = [*mine, Judgement(entry.id, target, right, entry.cells, judged_at, entry.beside, labels, by,
                             entry.bare if entry.target == target else ())][-MOST_JUDGEMENTS:]
    others = [each for each in earlier if not counts_here(each)]
    change = f"{target} {short_id(entry.id)} judged {'right' if right else 'wrong'}"
    taught = replace(lessons.taught, judgements=(*others, *mine), change=change)
    if sound is not None:
        return _refit_sound(lessons, Embedder(model), sound, taught, mine)
    assert own is not None  # refused above
    look = lessons.taught.look(target) if by else None
    if look is not None and not look.adds:
        return _refit_look(model, look, taught, mine)
    if by:
        return _refit_looks(model, own, taught, mine, force=force)
    return _refit_correction(lessons, model, own, taught, mine, force=force)


def _refit_sound(lessons: Lessons, embedder: Embedder, sound: TaughtSound, taught: Taught,
                 mine: Sequence[Judgement]) -> Judged:
    negatives = negatives_for(embedder, lessons.folder, lessons.manifest, lessons.state_dir, taught, name=sound.name,
                              like=sound.like)
    fitted, lesson = learn(
        embedder, sound.name, Gathered(sound.cells, sound.clip, sound.kind, sound.impulsive), negatives,
        alarms_per_hour=sound.budget_per_hour, impulsive=sound.impulsive, taught_at=sound.taught_at, like=sound.like,
        forced=sound.forced, judgements=mine)
    right = np.array([one.right for one in mine])
    chance = lesson.probabilities(embedder.embeddings(np.stack([one.cells for one in mine])))
    return Judged(int((chance[~right] < fitted.release_threshold).sum()), int((~right).sum()),
                  int((chance[right] >= fitted.threshold).sum()), int(right.sum()), lesson.heard, lesson.clips, None,
                  sound.name, taught.with_sound(fitted, taught.change))


def _refit_correction(lessons: Lessons, model: Split, target: Target, taught: Taught, mine: Sequence[Judgement], *,
                      force: bool) -> Judged:
    embedder = Embedder(model)
    bank = negatives_for(embedder, lessons.folder, lessons.manifest, lessons.state_dir, taught, name=target.name)
    # A right event is to be heard at its peak, a wrong one silent in every patch that the journal has of it.
    kept = [(one.cells,) if one.right else (one.cells, *one.beside) for one in mine]
    judged = embedder.embeddings(np.stack([cells for each in kept for cells in each]))
    weights, bias = model.head.weights[target.rows], model.head.bias[target.rows]
    # The correction is added to the logit, before the curve that makes the logit a probability. Beta's curve has
    # two slopes. The fit takes the slope at the threshold for both: a correction fitted to one slope would move a
    # sound on the other by more or less than the fit expects.
    curve = Curve.of(target)
    start = curve.logit_at(target.threshold)
    slope = np.float32(curve.slope(start))

    def standing(embeddings: Floats) -> Standing:
        return Standing(embeddings, slope * ((embeddings @ weights.T + bias).max(axis=1) - np.float32(start)))

    found = fit_correction(standing(bank.embeddings), standing(judged), np.array([one.right for one in mine]),
                           np.array([len(each) for each in kept]), force=force)
    correction = TaughtCorrection(found.rows / slope, found.bias / slope, mine[-1].labels)
    return _judged(found, target.name, replace(taught, corrections={**taught.corrections, target.name: correction}))


def _refit_look(model: Split, look: TaughtLook, taught: Taught, mine: Sequence[Judgement]) -> Judged:
    network = model.looks
    assert network is not None  # it decides the target
    spec = network.manifest.network.output
    negatives = look_negatives(load_look_bank(impulse_folder(), network.manifest), taught.looks, spec, name=look.name,
                               adds=False, like=look.like)
    fitted, lesson = learn_again(look, negatives, spec, mine)
    right = [one for one in mine if one.right]
    silent = sum(not heard(fitted, one, spec) for one in mine if not one.right)
    return Judged(silent, len(mine) - len(right), sum(heard(fitted, one, spec) for one in right), len(right), lesson.heard,
                  lesson.clips, None, look.name, taught.with_sound(fitted, taught.change))


def _refit_looks(model: Split, target: Target, taught: Taught, mine: Sequence[Judgement], *, force: bool) -> Judged:
    network, folder = model.looks, impulse_folder()
    assert network is not None  # it decides the target
    fit, real = LookFit(target, network), network.manifest.network.output.to_real
    own = [load_labelled(folder, network.manifest, target.labels[0]),
           *(real(look.cells) for look in taught.looks if look.name == target.name)]
    bank = fit.bank(load_look_bank(folder, network.manifest), np.concatenate(own))
    found = fit.correct(bank, [Event(one.right, real(np.stack((one.cells, *one.beside))), one.bare) for one in mine],
                        force=force)
    rows = TaughtCorrection(found.rows / fit.slope, found.bias / fit.slope, mine[-1].labels, network.sha256)
    return _judged(found, target.name, replace(taught, look_corrections={**taught.look_corrections, target.name: rows}))


def _judged(found: Corrected, target: str, taught: Taught) -> Judged:
    return Judged(found.silenced, found.wrong, found.supported, found.right, found.kept, found.present, found.price, target,
                  taught)
