"""`feedback` on events that looks decided, as its users run it, with the networks that ship."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.cli.checkup.checkup import check
from edge.control.loading import find_model, load_calibrations, load_model, model_folder
from edge.errors import ModelError, SettingsError
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from edge.sinks.journal.entries import FILE, Entry, recent
from edge.workshop.feedback import Judged, judge
from edge.workshop.lessons import Lessons
from tests.cli.test_cli import write_wav

pytestmark = pytest.mark.big

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
CLAP, SNAP = TargetSettings(name="hand_clap"), TargetSettings(name="finger_snap")


def stapler(path: Path, *, seed: int, peak: float = 8_000.0) -> Path:
    """A recording of six bursts of noise, 0.5 to 8 kHz, which the look network takes for claps."""
    rng, count = np.random.default_rng(seed), 1_600
    sound = rng.normal(0.0, 20.0, 16_000 * 7)
    for number in range(6):
        spectrum, hertz = np.fft.rfft(rng.normal(size=count)), np.fft.rfftfreq(count, 1 / 16_000)
        burst = np.fft.irfft(np.where(hertz < 500.0, 0.0, spectrum), count) * np.exp(-np.arange(count) / 500.0)
        start = 16_000 * number + 8_000
        sound[start: start + count] += burst * peak / np.abs(burst).max()
    return write_wav(path, sound.astype(np.int16))


class Owner:
    """Somebody with an appliance."""

    def __init__(self, folder: Path) -> None:
        self.state, self.folder = folder / "state", folder

    def hear(self, recording: Path, *targets: TargetSettings) -> list[Entry]:
        """What the appliance raises of a recording, oldest first."""
        before = {one.id for one in recent(self.state / FILE, 1_000)}
        source = SourceSettings(kind="file", path=str(recording), paced=False)
        build(Settings(source=source, log=LogSettings(events=""), target=targets or (CLAP,)), self.state).run()
        return [one for one in reversed(recent(self.state / FILE, 1_000)) if one.id not in before]

    def says(self, *words: str) -> int:
        return main(["feedback", *words, "--state-dir", str(self.state)])


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path)


def test_wrong_silences_a_sound_and_leaves_the_claps(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = stapler(owner.folder / "first.wav", seed=1), stapler(owner.folder / "second.wav", seed=2, peak=6_000.0)
    events, others, claps = owner.hear(first), owner.hear(second), owner.hear(DEMO / "claps.wav")
    assert len(events) > 3 and len(others) > 3 and len(claps) > 3
    assert all(len(one.bare) == 1 + len(one.beside) for one in events)
    assert owner.says(events[0].id, "wrong") == 0
    left = owner.hear(first)
    assert 3 * len(left) < len(events) and 2 * len(owner.hear(second)) <= len(others)
    assert len(owner.hear(DEMO / "claps.wav")) == len(claps)
    # An onset that rises more is surer than the one that was judged, so one judgement may leave it.
    assert all(owner.says(one.id, "wrong") == 0 for one in left)
    assert owner.hear(first) == owner.hear(second) == []
    assert len(owner.hear(DEMO / "claps.wav")) == len(claps)
    assert all(owner.says("--undo") == 0 for _ in left)
    capsys.readouterr()
    assert owner.says("--list", "--count", "100") == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if events[0].id in line]
    assert line.split()[-1] == "wrong"
    told = [one.text for one in check(Settings(source=SourceSettings(kind="file"), target=(CLAP,)), owner.state)]
    assert any(text.startswith("hand_clap: ") and text.endswith("looks at onsets, corrected by feedback") for text in told)
    assert owner.says("--undo") == 0
    assert len(owner.hear(first)) == len(events)
    assert owner.says(events[0].id, "wrong") == 0
    assert main(["teach", "--remove", "hand_clap", "--state-dir", str(owner.state)]) == 0
    assert len(owner.hear(first)) == len(events), "all that was said of the target is forgotten"


def test_right_as_another_target_raises_it(owner: Owner) -> None:
    first, second = stapler(owner.folder / "first.wav", seed=1), stapler(owner.folder / "second.wav", seed=2)
    config = owner.folder / "edge.toml"
    config.write_text('[[target]]\nname = "hand_clap"\n[[target]]\nname = "finger_snap"\n', encoding="utf-8")
    for one in (events := owner.hear(first, CLAP, SNAP))[:3]:
        assert one.target == "hand_clap"
        assert owner.says(one.id, "right", "--target", "finger_snap", "--config", str(config)) == 0
        assert owner.says(one.id, "wrong", "--config", str(config)) == 0
    snaps = [one.target for one in owner.hear(second, CLAP, SNAP)]
    assert snaps.count("finger_snap") >= len(events) // 2 and snaps.count("hand_clap") <= 1
    assert {one.target for one in owner.hear(DEMO / "claps.wav", CLAP, SNAP)} == {"hand_clap"}


def test_an_event_of_before_bare_logits_were_kept_can_be_judged(owner: Owner) -> None:
    (event, *_) = owner.hear(stapler(owner.folder / "first.wav", seed=1))
    judged = taken_in(owner, replace(event, bare=()), "hand_clap")
    assert (judged.silenced, judged.wrong) == (1, 1) and judged.taught.judgements[0].bare == ()


def taken_in(owner: Owner, entry: Entry, target: str, *, right: bool = False, settings: Settings | None = None) -> Judged:
    lessons = Lessons("starter", model_folder("starter", owner.state), owner.state)
    return judge(lessons, settings or Settings(), entry, right=right, target=target, judged_at="2026-11-29")


def test_looks_are_no_examples_of_what_patches_decide_nor_the_other_way(owner: Owner) -> None:
    (event, *_) = owner.hear(stapler(owner.folder / "first.wav", seed=1))
    by_patches = Settings(target=(TargetSettings(name="hand_clap", labels=("hand_clap",)), TargetSettings(name="siren")))
    for settings, target in ((Settings(), "siren"), (by_patches, "hand_clap")):
        with pytest.raises(SettingsError, match=rf"--target {target}: found a target that patches decide; wanted one that "
                                                "looks decide, as they did event"):
            taken_in(owner, event, target, right=True, settings=settings)
    (siren, *_) = owner.hear(DEMO / "siren.wav", TargetSettings(name="siren"))
    with pytest.raises(SettingsError, match="found a target that looks at onsets decide; wanted one that patches decide"):
        taken_in(owner, siren, "hand_clap", right=True)


def test_an_event_of_another_look_network_is_refused_and_its_judgements_take_no_part(owner: Owner) -> None:
    event, another, *_ = owner.hear(stapler(owner.folder / "first.wav", seed=1))
    with pytest.raises(ModelError, match=r"found one that ffffffffffff made; wanted one of backbone .*, or look network "):
        taken_in(owner, replace(event, backbone="f" * 64), "hand_clap")
    lessons = Lessons("starter", model_folder("starter", owner.state), owner.state)
    judged = taken_in(owner, event, "hand_clap").taught
    old = replace(judged, judgements=tuple(replace(one, network="f" * 64) for one in judged.judgements),
                  look_corrections={"hand_clap": replace(judged.look_corrections["hand_clap"], network="f" * 64)})
    lessons.save(old)
    (problem,) = load_calibrations(load_model(state_dir=owner.state), Settings(target=(CLAP,)), owner.state).problems
    assert problem.startswith("feedback on hand_clap: made for look network ffffffffffff, here look network")
    again = taken_in(owner, another, "hand_clap")
    looks = find_model("starter", owner.state).looks
    assert looks is not None and again.wrong == 1
    assert [one.network for one in again.taught.judgements] == ["f" * 64, looks.network.sha256]
    assert again.taught.look_corrections["hand_clap"].network == looks.network.sha256


def test_teach_says_which_target_of_the_looks_hears_the_sound(owner: Owner, capsys: pytest.CaptureFixture[str]) -> None:
    with wave.open(str(stapler(owner.folder / "all.wav", seed=1))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    each = [write_wav(owner.folder / f"{number}.wav", one) for number, one in enumerate(np.split(samples, 7)[:6])]
    more = ["--dry-run", "--force", "--state-dir", str(owner.state)]
    assert main(["teach", "stapler", *map(str, each), *more]) == 0
    assert "the model hears it as hand_clap too" in capsys.readouterr().out
