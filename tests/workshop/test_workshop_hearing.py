"""A source heard for calibration: for as long as was asked, each patch in its place, and given up where it gives nothing."""

from __future__ import annotations

import numpy as np
import pytest

from edge.control.loading import load_model
from edge.decision.resolve import resolve_targets
from edge.errors import SourceError
from edge.features.frontend import FrontEnd
from edge.model.classifier import Model
from edge.settings import GateSettings
from edge.workshop.hearing import PATIENCE_SECONDS, Timed, hear
from tests.fakes import FakeSource, blocks_of, silence, tone


@pytest.fixture(scope="module")
def starter() -> Model:
    return load_model("starter")


def test_a_source_that_gives_nothing_is_given_up_and_so_is_one_of_zeros(starter: Model) -> None:
    now = iter(np.arange(0.0, 100.0, 1.0))
    with pytest.raises(SourceError, match="no sound for"):
        list(Timed(FakeSource([None] * (int(PATIENCE_SECONDS) + 5)), 60.0, monotonic=lambda: float(next(now))).blocks())
    targets = resolve_targets((), starter.labels, starter.targets).sounds
    with pytest.raises(SourceError, match="nothing but zeros"):
        hear(starter, targets, FakeSource(blocks_of(silence(3.0))), hop_seconds=0.24)


@pytest.mark.big
def test_hearing_ends_in_time_and_gives_each_patch_its_place(starter: Model) -> None:
    targets = resolve_targets((), starter.labels, starter.targets).sounds
    sound = np.concatenate([tone(2.0, amplitude=40.0), tone(1.0), tone(17.0, amplitude=40.0)])
    source = FakeSource(blocks_of(sound), live=True)
    heard = hear(starter, targets, source, hop_seconds=0.24, seconds=10.0, most_embeddings=8)
    assert source.closed and heard.seconds == pytest.approx(10.0, abs=0.11)
    assert heard.embeddings.shape[1] == starter.embedding_size and 4 <= len(heard.embeddings) <= 8
    patches = len(next(iter(heard.stretches.values()))[0])
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    assert patches == sum(len(front_end.push(block)) for block in blocks_of(sound[:160_000]))
    gated = hear(starter, targets, FakeSource(blocks_of(sound)), hop_seconds=0.24, gate=GateSettings())
    for name, (logits,) in gated.stretches.items():
        plain = hear(starter, targets, FakeSource(blocks_of(sound)), hop_seconds=0.24).stretches[name][0]
        scored = np.isfinite(logits)
        assert 0 < scored.sum() < len(logits) <= len(plain)
        start = (gated.positions[0]) // 3840
        assert np.array_equal(logits[scored], plain[start: start + len(logits)][scored]), "left-out patches keep their place"
        break
