"""Cross-fitting: nothing of a clip's source is in the row that judges it, whatever the sources are called."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError
from edge.learn.classes import SoundClass
from edge.learn.figures import poisson_upper
from edge.learn.labelled_clips import Clip, LabelledClips
from edge.learn.lesson import ALTERED, HEARD, Examples, Lesson, Negatives
from edge.learn.teach import FEWEST, SILENCE, Gathered
from models.measuring import cross_fit as module
from models.measuring.__main__ import main
from models.measuring.cross_fit import CrossFit, Held, bank_groups, cross_fit, evenly
from models.measuring.cross_fit_clips import sides_of

COLUMNS = 16


class Cells:
    """An embedder whose embeddings are its cells."""

    def embeddings(self, cells: np.ndarray) -> np.ndarray:
        return cells.astype(np.float32)

    def pack(self, embeddings: np.ndarray) -> np.ndarray:
        return np.rint(embeddings).astype(np.int8)


def cells_at(place: np.ndarray, count: int, seed: object) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.clip(np.rint(place + random.normal(0.0, 6.0, (count, COLUMNS))), -127, 127).astype(np.int8)


PLACES = np.random.default_rng(3).normal(0.0, 40.0, (5, COLUMNS))
"""Of the sound (0) and of four others."""


def clip_of(kind: int, group: str, number: int, *, present: bool | None = None) -> Held:
    cells = cells_at(PLACES[kind], 6, [kind, number])
    made = None
    if kind == 0:
        both = np.repeat(np.array([HEARD, ALTERED], np.uint8), 3)
        made = Gathered(cells_at(PLACES[0], 6, [7, number]), np.zeros(6, np.uint8), both, True)
    return Held(f"kind {kind}", group, kind == 0 if present is None else present, 3.0, cells, made)


def clips_of(sources: int = 4) -> list[Held]:
    own = [clip_of(0, f"source {number % sources}", number) for number in range(12)]
    return own + [clip_of(1 + number % 4, f"source {number % 7}", number) for number in range(40)]


def bank_of(clips: list[Held]) -> Negatives:
    """The other clips' own patches, their sources called otherwise; and a crowd of other sources."""
    other = [clip for clip in clips if not clip.present]
    cells = np.concatenate([clip.cells for clip in other])
    sources = np.repeat([f"library/{clip.group}" for clip in other], [len(clip.cells) for clip in other])
    crowd = np.concatenate([cells_at(PLACES[1 + number % 4], 10, [9, number]) for number in range(30)])
    sources = np.concatenate((sources, np.repeat([f"crowd {number}" for number in range(30)], 10)))
    count = len(cells) + len(crowd)
    return Negatives(np.concatenate((cells, crowd)).astype(np.float32), np.full(count, "other"), sources,
                     np.full(count, 6.0, np.float32), np.ones(count, np.float32))


def fitted(clips: list[Held], bank: Negatives) -> CrossFit:
    return cross_fit("kettle", clips, bank, Cells(), alarms_per_hour=2.0, hop_seconds=0.48)  # type: ignore[arg-type]


def test_a_row_never_saw_anything_of_the_sources_that_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    clips, lessons = clips_of(), list[tuple[Examples, Negatives]]()

    def learn(examples: Examples, negatives: Negatives, *, alarms_per_hour: float) -> Lesson:
        lessons.append((examples, negatives))
        return learn_sound(examples, negatives, alarms_per_hour=alarms_per_hour)

    learn_sound = module.learn_sound
    monkeypatch.setattr(module, "learn_sound", learn)
    found = fitted(clips, bank_of(clips))
    everyone = {f"library/source {number}" for number in range(7)}
    seen = set[str]()
    for (examples, negatives), count, left_out in zip(lessons, found.fitted, found.left_out, strict=True):
        missing = {source.removeprefix("library/") for source in everyone - set(negatives.sources.tolist())}
        assert missing and not missing & seen, "each source is judged once"
        seen |= missing
        assert left_out == len(bank_of(clips).sources) - len(negatives.sources)
        made = [(clip.made, clip.group in missing) for clip in clips if clip.made is not None]
        assert examples.clips == count == sum(not judged for _, judged in made)
        own = {cells.tobytes() for gathered, judged in made if judged for cells in gathered.cells}
        assert not own & {cells.tobytes() for cells in examples.embeddings.astype(np.int8)}
    assert seen == {f"source {number}" for number in range(7)}


def test_figures_of_a_sound_that_is_told_apart_are_those_made_by_hand() -> None:
    clips = clips_of()
    beside = clip_of(0, "source 1", 99, present=None)
    found = fitted([*clips, Held(beside.name, beside.group, None, 500.0, beside.cells, None)], bank_of(clips))
    assert (found.alarms.heard, found.alarms.of, found.alarms.alarms) == (12, 12, 0)
    assert found.alarms.hours == pytest.approx(40 * 3.0 / 3600), "what may be the sound counts on neither side"
    assert found.alarms.per_hour_upper == pytest.approx(poisson_upper(0) / (120 / 3600))
    assert found.sources == {f"source {number}": (3, 3) for number in range(4)} and found.area_under_curve == 1.0


def test_what_lies_where_the_sound_lies_is_a_false_alarm() -> None:
    clips = clips_of()
    lure = clip_of(0, "source 6", 50, present=False)
    found = fitted([*clips, Held("lure", "source 6", False, 3.0, lure.cells, None)], bank_of(clips))
    # Six patches 0.48 s apart, all over the threshold: peaks more than a second apart are two.
    assert found.alarms.mistaken == (("lure", 2),) and found.alarms.alarms == 2


def test_one_source_cannot_be_left_out_and_few_recordings_teach_nothing() -> None:
    clips = clips_of(sources=1)
    with pytest.raises(SourceError, match="found clips with it of 1 source; wanted two sources"):
        fitted(clips, bank_of(clips))
    few = [clip_of(0, f"source {number % 2}", number) for number in range(FEWEST)] + clips[12:]
    with pytest.raises(SourceError, match=f"recordings left of it .*; wanted {FEWEST} or more"):
        fitted(few, bank_of(few))


def test_a_source_is_known_by_its_name_or_by_an_embedding_but_not_by_silence() -> None:
    silent = np.zeros((1, COLUMNS), np.int8)
    clip = clip_of(1, "mine", 1)
    clip = Held(clip.name, clip.group, clip.present, clip.seconds, np.concatenate((clip.cells, silent)), None)
    cells = np.concatenate((clip.cells[:1], silent, silent, cells_at(PLACES[2], 1, 5)))
    bank = Negatives(cells.astype(np.float32), np.full(4, "other"), np.array(["its", SILENCE, "quiet", "mine"]),
                     np.ones(4, np.float32), np.ones(4, np.float32))
    assert bank_groups(bank, [clip], Cells()) == {  # type: ignore[arg-type]
        "its": {"mine"}, SILENCE: set(), "quiet": set(), "mine": {"mine"}}


def test_recordings_are_taken_from_every_source_in_turn() -> None:
    assert evenly(["a", "a", "a", "b", "c", "c"], 4) == [0, 1, 3, 4]
    assert evenly(["a", "b"], 200) == [0, 1]


def test_a_class_is_of_the_table_or_else_of_the_clips() -> None:
    clips = tuple(Clip(Path(name), name, "g") for name in ("hand_clap", "applause", "drip"))
    labelled = LabelledClips(clips, (SoundClass("clap", ("hand_clap",), ("Clapping",), ("applause",)),), "m.csv")
    assert sides_of("clap", labelled) == [True, None, False] and sides_of("drip", labelled) == [False, False, True]
    with pytest.raises(SourceError, match=r"cross-fit bark: found no clip of it in m\.csv; wanted one of applause, drip"):
        sides_of("bark", labelled)


@pytest.mark.big
def test_recordings_are_cross_fitted_by_one_command(shared: Path, tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sirens = [row for row in rows if row["class"] == "siren"]
    sirens = [row for row in sirens if row["split"] == "train"] + [row for row in sirens if row["split"] == "eval"][:5]
    others = [row for row in rows if row["class"] in ("neg_music", "neg_speech") and row["split"] == "train"][::25]
    manifest = tmp_path / "m.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "class", "source"])
        writer.writerows([shared / "data" / row["path"], row["class"], row["source_repo"]] for row in sirens + others)
    command = ["cross-fit", str(manifest), "siren", "--state-dir", str(tmp_path), "--format", "json"]
    assert main(command) == 0
    siren = json.loads(capsys.readouterr().out)["classes"]["siren"]
    assert siren["clips"] == len(sirens) == sum(count for _, count in siren["sources"].values())
    assert siren["hours"] == pytest.approx(sum(float(row["duration_s"]) for row in others) / 3600, abs=2e-4)
    assert siren["heard"] > 0.5 and siren["area_under_curve"] > 0.9
    assert all(count >= FEWEST for count in siren["fitted"]) and max(siren["left_out"]) > 0
    manifest.write_text(manifest.read_text().replace("source", "origin", 1))
    assert main(command) == 2
    assert "found no sources; wanted a CSV manifest with a column group, source or source_repo" in capsys.readouterr().err
