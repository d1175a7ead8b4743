"""Teach a sound by talking with a program: what is heard and taken, how it comes out, and then its answer."""

from __future__ import annotations

from collections.abc import Sequence

from edge.learn.recorder import Recorder
from edge.learn.teach import Recording
from edge.settings import Settings
from edge.stream import SAMPLE_RATE, SILENCE_DBFS
from edge.workshop.lessons import Lessons
from edge.workshop.recordings import check_count, envelope, record
from edge.workshop.running import open_heard
from edge.workshop.taking_up import take_up
from edge.workshop.talk import FORCE, KEEP, Talk
from edge.workshop.teach import Outcome, Wanted, prepare
from edge.workshop.teach_report import cannot_be_told_apart, taught_row


def talk_of_teaching(talk: Talk, lessons: Lessons, settings: Settings, wanted: Wanted, count: int) -> None:
    """Record a sound, say how it comes out, and keep it if the answer is to.

    Raises SettingsError, SourceError and ModelError, which comes for a sound that cannot be told apart and is to be kept
    without force, too.
    """
    check_count(count)

    def recordings() -> Sequence[Recording]:
        opened = open_heard(settings.source, lessons.state_dir)
        talk.say("listening", count=count, through=opened.through)
        taken = record(opened.source, count, channel=opened.channel, heard=_Telling(talk).heard)
        talk.say("fitting")
        return taken

    prepared = prepare(lessons, settings, wanted, recordings)
    talk.say("outcome", **_outcome(prepared.outcome()))
    answer = talk.answer()
    if answer not in (KEEP, FORCE):
        talk.say("dropped")
        return
    kept = prepared.keep(force=answer == FORCE)
    if not kept.kept:
        raise cannot_be_told_apart(kept)
    taken_up = take_up(lessons.state_dir, wanted.name)
    talk.say("kept", name=wanted.name, reloaded=taken_up.reloaded, words=taken_up.words)


class _Telling:
    """Tells how recording goes."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._known, self._loudest = 0, SILENCE_DBFS

    def heard(self, recorder: Recorder, recordings: Sequence[Recording], problem: tuple[str, str] | None) -> None:
        """Called as `record` does."""
        self._loudest = max(self._loudest, recorder.loudest_dbfs)
        for number, recording in enumerate(recordings[self._known:], self._known + 1):
            self._talk.say("recording", number=number, seconds=round(len(recording.samples) / SAMPLE_RATE, 2),
                           envelope=envelope(recording.samples))
        self._known = len(recordings)
        if problem is not None:
            self._talk.say("again", found=problem[0], wanted=problem[1])
        if self._talk.due("level"):
            room = recorder.room_dbfs
            self._talk.say("level", level_dbfs=round(self._loudest, 1), room_dbfs=None if room is None else round(room, 1),
                           hearing=recorder.hearing, done=len(recordings))
            self._loudest = SILENCE_DBFS


def _outcome(outcome: Outcome) -> dict[str, object]:
    foreseen = outcome.sound.foreseen
    return {"row": taught_row(outcome.sound), "hears": list(outcome.hears), "refused": outcome.refused,
            "collisions": list(foreseen.collisions), "groups": foreseen.groups or None, "own": outcome.own}
