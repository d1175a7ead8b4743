"""Calibrate by the room while talking with a program: how hearing goes, how it comes out, and then its answer."""

from __future__ import annotations

from edge.workshop.calibrate import hear_room
from edge.workshop.calibrate_report import result_rows, sentences
from edge.workshop.running import open_heard
from edge.workshop.session import Session
from edge.workshop.taking_up import take_up
from edge.workshop.talk import KEEP, Talk


def talk_of_calibrating(talk: Talk, session: Session, minutes: float) -> None:
    """Hear the room, say what it makes of the thresholds, and keep them if the answer is to.

    Raises SourceError where nothing can be heard, ModelError where the thresholds cannot be kept.
    """
    def progress(seconds: float, of: float) -> None:
        if talk.due("progress"):
            talk.say("progress", seconds=round(seconds, 1), of=round(of, 1))

    opened = open_heard(session.settings.source, session.state_dir)
    targets = [target.name for target in session.targets]
    talk.say("hearing", minutes=minutes, targets=targets, through=opened.through)
    heard = hear_room(session, minutes, opened, progress)
    results = heard.results()
    talk.say("outcome", results=result_rows(results), words=sentences(session, results))
    if talk.answer() != KEEP:
        talk.say("dropped")
        return
    heard.keep()
    taken_up = take_up(session.state_dir)
    talk.say("kept", targets=targets, reloaded=taken_up.reloaded, words=taken_up.words)
