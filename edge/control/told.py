"""What a watcher is told of the targets that are heard now: what each is, and where its events start and end. Pure."""

from __future__ import annotations

from collections.abc import Callable

from edge.decision.targets import Targets


def told_of(targets: Targets, whence: Callable[[str], str]) -> list[dict[str, object]]:
    """A table for each target whose events are sent, in the order of `Targets.names`.

    Thresholds to 4 digits, as they stand after settings, calibrations and commands; None where the target has none.
    whence: what set the threshold of a sound, in words.
    """
    told = [_told(sound.name, "impulsive" if sound.impulsive else "lasting", sound.threshold, sound.release_threshold,
                  whence(sound.name), labels=list(sound.labels))
            for sound in targets.sounds if sound.sent]
    told += [_told(pattern.name, "pattern", None, None, "", of=pattern.of) for pattern in targets.patterns]
    told += [_told(loud.name, "loudness", None, None, "the settings", louder_db=loud.louder_db) for loud in targets.loudness]
    told += [_told(alarm.name, "alarm", alarm.threshold, None, whence(alarm.name), rhythm=alarm.rhythm.name)
             for alarm in targets.rhythms if alarm.sent]
    return told


def _told(target: str, kind: str, threshold: float | None, release: float | None, whence: str,
          **others: object) -> dict[str, object]:
    return {"target": target, "kind": kind, "threshold": None if threshold is None else round(threshold, 4),
            "release_threshold": None if release is None else round(release, 4), "by": whence, **others}
