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
from edge.workshop.progress import Progress, bar
from edge.workshop.running import Opened, open_heard
from edge.workshop.session import Result, Session


class RoomHeard:
    """What was heard of a room: what it makes of the thresholds, and the step that keeps them. Nothing is locked before."""

    def __init__(self, session: Session, heard: Sequence[tuple[str, Heard]]) -> None:
        """heard: by the name of the recording; empty for the settings' source."""
        self._session, self._heard = session, heard
        self._kept: list[Result] | None = None

    def results(self) -> list[Result]:
        """Thresholds beside what serves now; changes and locks nothing."""
        with self._session.changing(keep=False) as session:
            return [_by_room(session, target, self._heard) for target in session.targets]

    def keep(self) -> list[Result]:
        """Set thresholds beside what serves by then, and keep them, once, and embeddings of the room for `teach`.

        Raises ModelError where they cannot be kept.
        """
        if self._kept is not None:
            return self._kept
        with self._session.changing(keep=True) as session:
            results = [_by_room(session, target, self._heard) for target in session.targets]
            session.save({result.target: result.entry for result in results})
        if can_keep(session.model.manifest):
            embeddings = np.concatenate([one.embeddings for _, one in self._heard])[:MOST_EMBEDDINGS]
            save_room(session.state_dir, session.model.manifest, embeddings, sum(one.seconds for _, one in self._heard))
        self._kept = results
        return results


def hear_room(session: Session, minutes: float, opened: Opened | None = None,
              progress: Progress | None = None) -> RoomHeard:
    """Hear the room for so many minutes. Raises SourceError where nothing can be heard.

    opened: None for the settings' source. progress: told how it goes; None: a bar on standard error.
    """
    heard = _hear(session, session.settings.source, seconds=minutes * 60, gate=True, most=MOST_EMBEDDINGS,
                  title="the room", progress=progress, opened=opened)
    return RoomHeard(session, [("", heard)])


def hear_recordings(session: Session, paths: Sequence[Path]) -> RoomHeard:
    """Hear recordings of the room, or folders of them. Raises SourceError where nothing can be heard."""
    recordings, source = recordings_of(paths), session.settings.source
    return RoomHeard(session, [
        (str(path), _hear(session, replace(source, kind="file", path=str(path), paced=False), gate=True,
                          most=MOST_EMBEDDINGS // len(recordings), title=str(path))) for path in recordings])


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
          seconds: float = float("inf"), progress: Progress | None = None,
          opened: Opened | None = None) -> Heard:
    """One source; a recording that gives nothing is named."""
    settings = session.settings
    try:
        opened = opened or open_heard(source, session.state_dir)
        with closing(opened.source) as heard, bar(title, "s") as drawn:
            return hear(session.model, session.targets, heard, hop_seconds=settings.model.hop_seconds,
                        channel=opened.channel, gate=settings.gate if gate else None, seconds=seconds,
                        most_embeddings=most, zeros=not gate,
                        progress=progress or (drawn if title and seconds != float("inf") else None))
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
