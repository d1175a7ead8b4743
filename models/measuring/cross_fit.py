"""A sound that is taught from labelled clips, and judged on clips of other sources. Pure.

Clips fall into folds, all clips of one source into the same. For each fold a row is fitted as `teach` fits
it: to the clips of the sound outside the fold, against the bank without the fold's sources. The row's
threshold is set for the budget on what the row was fitted to. Row and threshold then judge the clips of the
fold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.learn.alarms import Alarms, count_alarms
from edge.learn.embedding import Cells, Embedder
from edge.learn.figures import area_under_curve
from edge.learn.labelled import FOLDS, fold_numbers
from edge.learn.lesson import Examples, Lesson, Negatives, learn_sound
from edge.learn.teach import FEWEST, MOST, SILENCE, Gathered, together


@dataclass(frozen=True, slots=True)
class Held:
    """One clip.

    cells: int8 `(patches, E)`, its embeddings at the listener's hops. present: whether it holds the sound;
    None: it may. made: what teach makes of it; None where it does not hold the sound, or where teach would
    refuse it.
    """

    name: str
    group: str
    present: bool | None
    seconds: float
    cells: Cells
    made: Gathered | None


@dataclass(frozen=True, slots=True)
class CrossFit:
    """What came of it.

    alarms: over each fold's own threshold; its `threshold` of 0 means this. area_under_curve: of the margins
    by which clips lie over their threshold. sources: for each source of the sound the clips that were heard,
    and how many there are. For each fold: fitted, recordings that its row was fitted to; left_out, embeddings
    of the bank that are of its sources.
    """

    alarms: Alarms
    area_under_curve: float
    sources: Mapping[str, tuple[int, int]]
    fitted: tuple[int, ...]
    left_out: tuple[int, ...]


def cross_fit(name: str, clips: Sequence[Held], negatives: Negatives, embedder: Embedder, *, alarms_per_hour: float,
              hop_seconds: float, progress: Callable[[float, float], None] | None = None) -> CrossFit:
    """Teach `name` once for each fold, and judge every clip. negatives: the bank without the sound.

    Raises SourceError for clips of fewer than two sources on either side, and for a fold that leaves fewer
    than FEWEST recordings to teach from.
    """
    counted = [clip for clip in clips if clip.present is not None]
    present = np.array([bool(clip.present) for clip in counted])
    for side, what in ((True, "with"), (False, "without")):
        sources = {clip.group for clip in counted if clip.present is side}
        if len(sources) < 2:
            raise SourceError(f"cross-fit {name}", found=f"clips {what} it of {len(sources)} source",
                              wanted="two sources or more, so that one can be left out")
    folds = fold_numbers([clip.group for clip in counted], present, FOLDS)
    groups_of = bank_groups(negatives, counted, embedder)
    margins: list[NDArray[np.float64]] = [np.zeros(0)] * len(counted)
    fitted, left_out = [], []
    numbers = np.unique(folds)
    for done, fold in enumerate(numbers):
        inside = {clip.group for clip, own in zip(counted, folds, strict=True) if own == fold}
        examples = _examples(name, [clip for clip in counted if clip.group not in inside], embedder)
        kept = np.array([not groups_of[source] & inside for source in negatives.sources.tolist()])
        lesson = learn_sound(examples, negatives.only(kept), alarms_per_hour=alarms_per_hour)
        for number in np.flatnonzero(folds == fold):
            margins[number] = _margins(lesson, embedder.embeddings(counted[number].cells))
        fitted.append(examples.clips)
        left_out.append(int((~kept).sum()))
        if progress is not None:
            progress(done + 1, len(numbers))
    return CrossFit(
        count_alarms(name, 0.0, margins, [clip.present for clip in counted], [clip.name for clip in counted],
                     [clip.seconds for clip in counted], hop_seconds=hop_seconds),
        area_under_curve(np.array([margin.max() for margin in margins], np.float32), present),
        _by_source(counted, margins), tuple(fitted), tuple(left_out))


def bank_groups(negatives: Negatives, clips: Sequence[Held], embedder: Embedder) -> dict[str, set[str]]:
    """For each source of the bank the groups of clips that come from it.

    They are the group of the source's name, and those with a clip of which an embedding equals one of the
    source's: a manifest may call a source by another name than the bank does.
    """
    groups = {clip.group for clip in clips}
    sources: dict[bytes, set[str]] = {}
    for cells, source in zip(embedder.pack(negatives.embeddings), negatives.sources.tolist(), strict=True):
        sources.setdefault(cells.tobytes(), set()).add(source)
    found: dict[str, set[str]] = {source: {source} & groups for source in np.unique(negatives.sources).tolist()}
    for clip in clips:
        for cells in clip.cells:
            of = sources.get(cells.tobytes(), set())
            for source in of if SILENCE not in of else ():  # that one is everyone's
                found[source].add(clip.group)
    return found


def _examples(name: str, clips: Sequence[Held], embedder: Embedder) -> Examples:
    own = [(clip.group, clip.made) for clip in clips if clip.made is not None]
    if len(own) < FEWEST:
        raise SourceError(f"cross-fit {name}", found=f"{len(own)} recordings left of it without a fold's sources",
                          wanted=f"{FEWEST} or more to teach it from")
    made = together([own[number][1] for number in evenly([group for group, _ in own], MOST)])
    return Examples(embedder.embeddings(made.cells), made.clip.astype(np.intp), made.kind.astype(np.intp))


def evenly(groups: Sequence[str], most: int) -> list[int]:
    """Numbers of at most `most` recordings: the first of every group, then the second, and so on."""
    seen: dict[str, int] = {}
    turn = []
    for number, group in enumerate(groups):
        turn.append((seen.get(group, 0), number))
        seen[group] = seen.get(group, 0) + 1
    return sorted(number for _, number in sorted(turn)[:most])


def _margins(lesson: Lesson, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """How far each patch lies over the threshold, in logits of the probability: float64 `(patches,)`."""
    power = lesson.scale * (embeddings @ lesson.row + lesson.bias).astype(np.float64) + lesson.offset
    return np.asarray(power - math.log(lesson.threshold / (1.0 - lesson.threshold)), np.float64)


def _by_source(clips: Sequence[Held], margins: Sequence[NDArray[np.float64]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for clip, margin in zip(clips, margins, strict=True):
        if clip.present:
            heard, count = found.get(clip.group, (0, 0))
            found[clip.group] = heard + bool(margin.max() >= 0.0), count + 1
    return dict(sorted(found.items()))
