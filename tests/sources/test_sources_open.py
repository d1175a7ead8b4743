"""The source that the settings ask for, and what every live source does with errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from wav_files import noise, wav

from edge.errors import EdgeError, SettingsError, SourceError
from edge.seams import Source
from edge.settings import SourceSettings
from edge.sources.command import Command
from edge.sources.live import LiveSource
from edge.sources.open import open_source
from edge.sources.recording import Recording
from edge.stats import Stats
from edge.stream import Block, StreamFormat

MONO = StreamFormat(16_000, 1)


def test_a_source_is_opened_by_its_kind(tmp_path: Path) -> None:
    def checked(source: Source) -> Source:
        source.close()
        source.close()
        return source

    path = wav(tmp_path / "a.wav", noise(16, 100))
    assert isinstance(checked(open_source(SourceSettings(kind="file", path=str(path)), Stats())), Recording)
    assert isinstance(checked(open_source(SourceSettings(kind="command", command=("cat",)), Stats())), Command)


@pytest.mark.parametrize(("settings", "words"), [
    (SourceSettings(kind="file"), r"\[source\] path: found nothing; wanted the recording"),
    (SourceSettings(kind="command"), r"\[source\] command: found nothing; wanted a program"),
    (SourceSettings(kind="radio"), r"\[source\] kind: found 'radio'; wanted microphone, file or command"),
])
def test_a_kind_without_what_it_needs_is_refused(settings: SourceSettings, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        open_source(settings, Stats())


class Scripted(LiveSource):
    """A device that does what a list says: an error to raise, or a format to begin and be lost after one block."""

    name = "scripted"

    def __init__(self, script: list[EdgeError | StreamFormat]) -> None:
        super().__init__(SourceSettings(retry_seconds=0.01), Stats())
        self._script = iter(script)

    def _hear(self) -> None:
        step = next(self._script, None)
        if step is None:
            self._closing.wait(60.0)
        elif isinstance(step, StreamFormat):
            self._crossing.begin(step)
            self._opened()
            self._crossing.offer(np.ones(step.rate // 10, np.int16))
            raise SourceError("scripted", found="lost", wanted="sound")
        else:
            raise step


REFUSAL = SettingsError("[source] rate", found="1", wanted="2")


def test_a_refused_setting_ends_the_blocks_at_the_start() -> None:
    with pytest.raises(SettingsError, match="rate: found 1; wanted 2"):
        list(Scripted([SourceError("scripted", found="nothing", wanted="sound"), REFUSAL]).blocks())


def test_a_refused_setting_is_a_state_once_sound_was_heard() -> None:
    source = Scripted([MONO, REFUSAL, MONO])
    blocks: Iterator[Block | None] = (block for block in source.blocks() if block is not None)
    first, second = next(blocks), next(blocks)
    assert first is not None and second is not None and (second.position, second.gap) == (1600, True)
    source.close()
    assert source._stats.reopened == 1
