"""Labelled clips through the backbone, and what a sound is worth that is taught from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import SettingsError, SourceError
from edge.learn.classes import SoundClass
from edge.learn.embedding import Cells, Embedder
from edge.learn.labelled_clips import GROUP_COLUMNS, Clip, LabelledClips
from edge.learn.teach import Gathered, made_of, negatives_for
from edge.model.classifier import Model
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught
from edge.workshop.classify import classify
from edge.workshop.progress import bar
from edge.workshop.recordings import read_recordings
from models.measuring.cross_fit import CrossFit, Held, cross_fit


def cross_fit_clips(model: Model, folder: Path, state_dir: Path, labelled: LabelledClips, names: Sequence[str], *,
                    hop_seconds: float, alarms_per_hour: float) -> dict[str, CrossFit]:
    """Cross-fit each class of `names`. folder: the model's own, with its bank.

    Raises SettingsError for alarms_per_hour that are not over 0 and at most 1000; SourceError for clips
    without sources, for a class that no clip is of, and for a clip that cannot be heard; ModelError for a
    model that cannot be taught.
    """
    if not 0.0 < alarms_per_hour <= 1000.0:
        raise SettingsError("--alarms-per-hour", found=str(alarms_per_hour), wanted="over 0, at most 1000")
    if not any(clip.source for clip in labelled.clips):
        raise SourceError(labelled.where, found="no sources",
                          wanted=f"a CSV manifest with a column {', '.join(GROUP_COLUMNS[:-1])} or {GROUP_COLUMNS[-1]}")
    sides = {name: sides_of(name, labelled) for name in names}
    embedder, manifest = Embedder(model), load_manifest(folder)
    bank = negatives_for(embedder, folder, manifest, state_dir, Taught.nothing(manifest), name="")
    heard: list[tuple[Cells, float]] = []
    with bar("hear", "clips") as progress:
        for number, clip in enumerate(labelled.clips):
            result = classify(model, clip.path, hop_seconds=hop_seconds, bands=False)
            if result.embeddings is None:
                raise SourceError(str(clip.path), found="no sound", wanted="a recording")
            heard.append((embedder.pack(result.embeddings), result.duration_seconds))
            progress(number + 1, len(labelled.clips))
    found = {}
    for name, present in sides.items():
        made = _made(embedder, labelled.clips, present, name)
        clips = [Held(clip.name, clip.group, side, seconds, cells, made.get(clip.path))
                 for clip, side, (cells, seconds) in zip(labelled.clips, present, heard, strict=True)]
        maybe = {clip.name for clip, side in zip(labelled.clips, present, strict=True) if side is not False}
        with bar(f"fit {name}", "folds") as progress:
            found[name] = cross_fit(name, clips, bank.only(~np.isin(bank.names, list(maybe))), embedder,
                                    alarms_per_hour=alarms_per_hour, hop_seconds=hop_seconds, progress=progress)
    return found


def sides_of(name: str, labelled: LabelledClips) -> list[bool | None]:
    """For each clip True (of the class `name`), False, or None (it may hold the sound).

    The class is that of the table, or else a class of the clips. Raises SourceError where no clip is of it.
    """
    entry = next((entry for entry in labelled.classes or () if entry.name == name), SoundClass(name, (name,), (), ()))
    sides = [entry.holds(clip.name) for clip in labelled.clips]
    if True not in sides:
        raise SourceError(f"cross-fit {name}", found=f"no clip of it in {labelled.where}",
                          wanted=f"one of {', '.join(sorted({clip.name for clip in labelled.clips}))}")
    return sides


def _made(embedder: Embedder, clips: Sequence[Clip], present: Sequence[bool | None],
          name: str) -> dict[Path, Gathered]:
    """What teach makes of each clip with the sound that it does not refuse (silence, over 30 s)."""
    recordings, _ = read_recordings([clip.path for clip, side in zip(clips, present, strict=True) if side])
    found = {}
    with bar(f"alter {name}", "clips") as progress:
        for number, recording in enumerate(recordings):
            found[Path(recording.name)] = made_of(embedder, recording, number)
            progress(number + 1, len(recordings))
    return found
