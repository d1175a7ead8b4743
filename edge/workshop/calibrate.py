"""Calibrate a model's targets by the room or by labelled recordings. Composes; `learn` does the sums."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.decision.calibration import FARTHEST_LOGIT
from edge.decision.targets import Target
from edge.errors import SourceError
from edge.learn.bank import MOST_EMBEDDINGS, can_keep, save_room
from edge.learn.calibrate import peaks_of, set_threshold
from edge.learn.labelled import Sound, calibrate_labelled
from edge.learn.labelled_clips import LabelledClips
from edge.learn.recording_files import recordings_of
from edge.settings import SourceSettings
from edge.workshop.hearing import Heard, hear
from edge.workshop.progress import bar
from edge.workshop.running import open_heard
from edge.workshop.session import Result, Session


def calibrate_by_room(session: Session, recordings: Sequence[Path] | None, minutes: float, *, keep: bool) -> list[Result]:
    """Hear the settings' source for so many minutes, or recordings; thresholds that keep the budget there.

    keep: the thresholds, and embeddings of the room for `teach`. Raises SourceError where nothing can be
    heard.
    """
    source = session.settings.source
    sources = [("", source)] if recordings is None else [
        (str(path), replace(source, kind="file", path=str(path), paced=False)) for path in recordings_of(recordings)]
    if recordings is None and source.kind != "file":
        print(f"hearing the room for {minutes:g} minutes; make none of the sounds meanwhile "
              "(Ctrl-C stops, and keeps nothing)", file=sys.stderr)
    heard: list[tuple[str, Heard]] = []
    for name, one in sources:
        heard.append((name, _hear(session, one, seconds=minutes * 60 if recordings is None else float("inf"),
                                  gate=True, most=MOST_EMBEDDINGS // len(sources), title=name or "the room")))
    with session.changing(keep=keep) as session:
        results = [_by_room(session, target, heard) for target in session.targets]
        if keep:
            session.save({result.target: result.entry for result in results})
    if keep and can_keep(session.model.manifest):
        embeddings = np.concatenate([one.embeddings for _, one in heard])[:MOST_EMBEDDINGS]
        save_room(session.state_dir, session.model.manifest, embeddings, sum(one.seconds for _, one in heard))
    return results


def _by_room(session: Session, target: Target, heard: Sequence[tuple[str, Heard]]) -> Result:
    """One target's threshold by what was heard of the room."""
    stretches = [logits for _, one in heard for logits in one.stretches[target.name]]
    room = peaks_of(stretches, hop_seconds=session.settings.model.hop_seconds, patch_samples=session.model.patch_samples,
                    hours=sum(one.seconds for _, one in heard) / 3600)
    basis, budget = session.basis(target), session.budget
    entry = set_threshold(basis, budget, made="room", room=room)
    strict = set_threshold(basis, replace(budget, most_cost=1.0), made="room", room=room)
    labelled = basis.negatives is not None and basis.positives is not None and budget.varied_hours > 0.0
    alone = set_threshold(basis, budget, made="room") if labelled else None
    return Result(target.name, entry, session.served.entries.get(target.name), highest=_highest(heard, target.name),
                  strict=strict, alone=alone)


def calibrate_by_clips(session: Session, labelled: LabelledClips, *, keep: bool) -> list[Result]:
    """Hear labelled recordings and calibrate each target that they hold; the others are named on standard
    error.

    keep: what was found. Raises SourceError where they hold none, and for a recording that cannot be heard:
    figures would be of others.
    """
    logits: list[dict[str, np.ndarray]] = []
    with bar("calibrate", "clips") as progress:
        for number, clip in enumerate(labelled.clips):
            source = replace(session.settings.source, kind="file", path=str(clip.path), paced=False)
            one = _hear(session, source, gate=False, most=0, title="")
            # Where looks decide, a clip without an onset gets the lowest logit there is.
            logits.append({name: np.nan_to_num(np.concatenate(stretches), nan=-FARTHEST_LOGIT)
                           for name, stretches in one.stretches.items()})
            progress(number + 1, len(labelled.clips))
    results = []
    with session.changing(keep=keep) as session:
        for target in session.targets:
            sides, reason = labelled.sides(target.name, session.labels(target))
            if not reason:
                try:
                    results.append(_by_clips(session, target, [
                        Sound(found[target.name], side, clip.group)
                        for found, side, clip in zip(logits, sides, labelled.clips, strict=True) if side is not None]))
                    continue
                except SourceError as error:
                    if len(session.targets) == 1:
                        raise
                    reason = str(error)
            print(f"{target.name} is left as it is: {reason}", file=sys.stderr)
        if not results:
            raise SourceError(labelled.where, found="no recording of a target", wanted="recordings of "
                              + ", ".join(target.name for target in session.targets))
        if keep:
            session.save({result.target: result.entry for result in results})
    return results


def _by_clips(session: Session, target: Target, sounds: Sequence[Sound]) -> Result:
    """One target's curve and threshold by labelled recordings; what is known of the room still counts."""
    shipped, served = session.served.shipped.get(target.name), session.served.entries.get(target.name)
    entry, worth = calibrate_labelled(
        sounds, session.basis(target), session.budget, hop_seconds=session.settings.model.hop_seconds,
        patch_samples=session.model.patch_samples, pooled=shipped.negatives if shipped else None,
        room=served.room if served else None)
    return Result(target.name, entry, served, worth)


def _hear(session: Session, source: SourceSettings, *, gate: bool, most: int, title: str,
          seconds: float = float("inf")) -> Heard:
    """One source; a recording that gives nothing is named."""
    settings = session.settings
    try:
        opened = open_heard(source, session.state_dir)
        with closing(opened.source) as heard, bar(title, "s") as progress:
            return hear(session.model, session.targets, heard, hop_seconds=settings.model.hop_seconds,
                        channel=opened.channel, gate=settings.gate if gate else None, seconds=seconds,
                        most_embeddings=most, zeros=not gate,
                        progress=progress if title and seconds != float("inf") else None)
    except SourceError as error:
        if error.thing != "source":
            raise
        raise SourceError(source.path if source.kind == "file" else source.kind, found=error.found,
                          wanted=error.wanted) from error


def _highest(heard: Sequence[tuple[str, Heard]], target: str) -> tuple[float, str] | None:
    """A target's highest logit and where it was: the recording, minutes and seconds; None where nothing was scored."""
    found = [(*one.highest(target), name) for name, one in heard]
    logit, at, name = max((one for one in found if np.isfinite(one[0])), default=(np.nan, np.nan, ""))
    return None if np.isnan(logit) else (logit, f"{name} {int(at // 60)}:{at % 60:04.1f}".strip())
