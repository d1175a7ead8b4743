"""Scenes: which event belongs to which sound, what sed_eval counts, what is read and what is refused."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest

from edge.errors import SettingsError, SourceError
from edge.learn.classes import SoundClass
from models.measuring.__main__ import main
from models.measuring.annotations import find_scenes, in_order, kinds_of
from models.measuring.matching import Span, pair
from models.measuring.report import print_scenes
from models.measuring.scenes import Heard, Sought, measure_scenes
from models.measuring.sed import check_installed


def spans(*onsets: float, seconds: float = 0.05) -> list[Span]:
    return [Span(onset, onset + seconds) for onset in onsets]


@pytest.fixture
def sed_eval() -> None:
    try:
        check_installed()
    except SettingsError as error:
        pytest.skip(str(error))


def test_a_missed_knock_is_not_paired_with_its_neighbours_second_event() -> None:
    # Knocks 300 ms apart: the second is missed, the third makes two events.
    paired = pair(spans(1.01, 1.62, 1.72), spans(1.0, 1.3, 1.6))
    assert paired.onset_errors == (pytest.approx(0.01), pytest.approx(0.02))
    assert (paired.extra, paired.alarms) == (1, 0)


def test_a_late_event_stays_late() -> None:
    # Nothing nearer is there to be said of it: 140 ms late is 140 ms late, and 400 ms too.
    assert pair(spans(1.14), spans(1.0, 1.3)).onset_errors == (pytest.approx(0.14),)
    assert pair(spans(1.4), spans(1.0)).onset_errors == (pytest.approx(0.4),)
    early = pair(spans(0.9, 1.3), spans(1.0, 1.3))
    assert early.onset_errors == (pytest.approx(-0.1), pytest.approx(0.0))


def test_each_sound_has_one_event_the_nearest_and_the_rest_are_told_apart() -> None:
    paired = pair(spans(1.2, 1.02, 5.0, 9.0), spans(1.0), beside=spans(9.1))
    assert paired.onset_errors == (pytest.approx(0.02),)
    assert (paired.extra, paired.alarms, paired.passed_over) == (1, 1, 1)
    assert paired.kept == tuple(spans(1.2, 1.02, 5.0))
    assert pair(spans(1.0), []).alarms == 1 and pair([], spans(1.0)).onset_errors == ()


CLAP = Sought("clap", True, ("Clapping",))
RAIN = Sought("rain", False, ("Rain",))
CLASSES = (SoundClass("clap", ("hand_clap",), ("Clapping",), ("applause",)), SoundClass("rain", ("rain",), ("Rain",), ()))


def scenes_in(folder: Path) -> list[Heard]:
    """Two scenes of 10 s. Of four claps two are heard in time and one 80 ms late; of the rain the whole, a little longer."""
    for name, lines in (("a", "1\t1.1\thand_clap\n3\t3.1\thand_clap\n5\t8\train\n"),
                        ("b", "1\t1.1\thand_clap\n4\t4.1\thand_clap\n7\t8\tapplause\n")):
        (folder / f"{name}.wav").touch()  # it is the annotations that are read
        (folder / f"{name}.txt").write_text(lines)
    first, second = find_scenes(folder)
    return [Heard(first, 10.0, {"clap": spans(1.02, 3.03, 6.0), "rain": [Span(5.1, 8.4)]}),
            Heard(second, 10.0, {"clap": spans(1.08, 7.5), "rain": []})]


def test_figures_are_those_made_by_hand(tmp_path: Path, sed_eval: None) -> None:
    figures = measure_scenes(scenes_in(tmp_path), [CLAP, RAIN], CLASSES)
    clap, rain = figures.targets
    # Events: 1.02, 3.03 right; 6.0 a false alarm; 1.08 too late to be right; 7.5 is in applause and is passed over.
    assert (clap.sounds, clap.found, clap.alarms, clap.extra, clap.passed_over) == (4, 4, 1, 0, 1)
    assert (clap.events.precision, clap.events.recall, clap.events.f1) == (0.5, 0.5, 0.5)
    assert clap.events.error_rate == pytest.approx(1.0), "two missed and two wrong, of four"
    assert clap.onset_on_time == pytest.approx(2 / 3) and clap.onset_median == pytest.approx(0.03)
    assert clap.alarms_per_hour == pytest.approx(1 / (20 / 3600)) and clap.alarms_per_hour_upper > clap.alarms_per_hour
    # Seconds with a clap: 1 and 3 of a, 1 and 4 of b; said of 1, 3, 6 and 1.
    assert (clap.segments.precision, clap.segments.recall) == (0.75, 0.75)
    assert (rain.events.f1, rain.segments.recall) == (1.0, 1.0) and rain.segments.precision == pytest.approx(0.75)
    assert figures.hours == pytest.approx(20 / 3600) and figures.onset_on_time == pytest.approx(2 / 3)


def test_kinds_of_scenes_are_told_apart_in_each_form(tmp_path: Path, sed_eval: None) -> None:
    heard = scenes_in(tmp_path)
    found = {"": measure_scenes(heard, [CLAP], CLASSES), "ratio_db 12": measure_scenes(heard[:1], [CLAP], CLASSES)}
    about = {"model": "ears", "runtime": "none", "hop_seconds": 0.24}
    texts = {}
    for form in ("table", "csv", "json"):
        out = io.StringIO()
        print_scenes(found, about, form, out)
        texts[form] = out.getvalue()
    whole = json.loads(texts["json"])
    assert whole["scenes"] == 2 and whole["kinds"]["ratio_db 12"]["scenes"] == 1
    assert whole["kinds"]["ratio_db 12"]["targets"]["clap"]["events"]["recall"] == 1.0
    assert [line.split(",")[:2] for line in texts["csv"].splitlines()] == [
        ["scenes", "target"], ["all", "clap"], ["ratio_db 12", "clap"]]
    assert "1 scenes of ratio_db 12" in texts["table"] and not math.isnan(whole["hours"])


def test_kinds_are_read_from_the_table_beside_the_scenes(tmp_path: Path) -> None:
    scenes = [one.scene for one in scenes_in(tmp_path)]
    with pytest.raises(SourceError, match=r"scenes\.csv: found No such file"):
        kinds_of(tmp_path, scenes, "ratio_db")
    table = tmp_path / "scenes.csv"
    table.write_text("scene,ratio_db\nb,-6.0\na,12.0\n")
    assert kinds_of(tmp_path, scenes, "ratio_db") == ["12.0", "-6.0"]
    assert in_order(["12.0", "-6.0", "0.0", "12.0"]) == ["-6.0", "0.0", "12.0"]
    assert in_order(["music", "12"]) == ["12", "music"]
    assert in_order(["12.0", "12"]) == in_order(["12", "12.0"]) == ["12", "12.0"]
    with pytest.raises(SourceError, match="found columns scene, ratio_db; wanted the columns scene and kind"):
        kinds_of(tmp_path, scenes, "kind")
    table.write_text("scene,ratio_db\na,12.0\n")
    with pytest.raises(SourceError, match="found no row of b"):
        kinds_of(tmp_path, scenes, "ratio_db")


@pytest.mark.parametrize(("words", "said"), [
    (("scenes", "a", "--split", "eval"), "unrecognized arguments: --split"), (("cross-fit", "a"), "required: CLASS"),
    (("cross-fit", "a", "siren", "--by", "ratio_db"), "unrecognized arguments: --by"),
    ((), "required: scenes|onsets|lasting|cross-fit")])
def test_options_of_another_way_to_measure_are_refused(words: tuple[str, ...], said: str,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        main(words)
    assert exit_code.value.code == 2 and said in capsys.readouterr().err


def test_alarms_to_allow_must_be_over_nought(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.csv").write_text("path,class,source\na.wav,siren,s\n")
    assert main(["cross-fit", str(tmp_path / "m.csv"), "siren", "--alarms-per-hour", "0", "--state-dir", str(tmp_path)]) == 2
    assert "--alarms-per-hour: found 0.0; wanted over 0, at most 1000" in capsys.readouterr().err
