"""An exported file is the model, told to others: the same scores on real sound, its labels and metadata inside."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from model_taught import STARTER, TAUGHT, open_taught, scene

from edge.features.frontend import FrontEnd
from edge.features.logmel import LOG_OFFSET, hann_window, mel_weights
from edge.model.classifier import Split, open_model
from edge.model.manifest import TensorSpec
from edge.model.runtime import Runtime, open_runtime
from edge.model.whole import packed_labels
from edge.stream import SAMPLE_RATE, Block, Patch, StreamFormat
from edge.workshop.classify import classify
from edge.workshop.models.compose import FrontEndTables, export_split
from edge.workshop.models.install import Installer
from edge.workshop.models.metadata import Description, audio_properties, label_files
from edge.workshop.models.split import pack_graph, read_graph
from tests.recordings import Row, first_and_later, recordings

pytestmark = pytest.mark.big

HAS_LITERT = importlib.util.find_spec("ai_edge_litert") is not None
CLIPS, PATCHES_PER_CLIP = 150, 4
SCORES_OFF = 0.03
"""What a score may be off: a band in an int8 step's neighbour moves it by up to 0.027 (YAMNet on LiteRT, all but three of
7,891 patches of every recording of the manifest), by up to 0.022 on tflite-runtime (413 patches of the first ones)."""
FARTHEST = ("0e84add2c2e4", "09ed4cd786f7", "82a067d2cd69")
"""The recordings of those three patches, by the start of their SHA-256: a cough (0.0568 off), a rooster (0.0304) and a
living room (0.0303). Each has the same top label."""
FARTHEST_OFF = 0.08
"""What no score is off."""


@pytest.fixture(scope="module")
def taught(exports: Path, runtime: str) -> Split:
    return open_taught(STARTER, exports / "starter.npz", runtime=runtime)


def _patches(shared: Path, rows: list[Row], count: int) -> Iterator[tuple[np.ndarray, Patch]]:
    """Waveform float32 (15600,) and our patch of it, from so many recordings spread over every class."""
    soundfile = pytest.importorskip("soundfile", reason="the recordings are FLAC and Ogg")
    clips = sorted(rows, key=lambda row: (row["class"], row["sha256"]))
    for clip in clips[:: len(clips) // count][:count]:
        samples, rate = soundfile.read(shared / "data" / clip["path"], dtype="int16", always_2d=True,
                                       frames=15_600 + PATCHES_PER_CLIP * 7_680)
        assert rate == SAMPLE_RATE
        samples = np.ascontiguousarray(samples[:, 0])
        samples = np.pad(samples, (0, max(0, 15_600 - len(samples))))
        for patch in FrontEnd(wants="bands", hop_seconds=0.48).push(Block(samples, 0, StreamFormat(SAMPLE_RATE, 1)))[
                :PATCHES_PER_CLIP]:
            yield samples[patch.position:patch.position + 15_600] / np.float32(32_768), patch


def _agree(file: Path, model: Split, shared: Path, runtime: str) -> None:
    exported = open_runtime(file, runtime=runtime)
    first, later = first_and_later(shared)
    assert _agree_on(exported, model, _patches(shared, first, CLIPS)) >= 400
    farthest = [row for row in recordings(shared) if row["sha256"].startswith(FARTHEST)]
    assert len(farthest) == len(FARTHEST)
    sound = chain(_patches(shared, later, CLIPS // 3), _patches(shared, farthest, len(farthest)))
    assert _agree_on(exported, model, sound, beyond=len(farthest)) >= 60 + len(farthest)


def _agree_on(exported: Runtime, model: Split, sound: Iterator[tuple[np.ndarray, Patch]], *, beyond: int = 0) -> int:
    """The number of patches. Asserts that scores differ by at most SCORES_OFF, and mostly not at all.

    beyond: patches that were chosen because their scores differ, by at most FARTHEST_OFF.
    """
    patches = same = tied = equal = far = 0
    worst = 0.0
    for waveform, patch in sound:
        exported.set_input(waveform.astype(np.float32))
        exported.invoke()
        theirs, ours = exported.output()[0], model.score(patch).values
        off = float(np.abs(theirs - ours).max())
        patches, worst, equal = patches + 1, max(worst, off), equal + (off < 1e-5)
        far += off > SCORES_OFF
        same += bool(np.argmax(theirs) == np.argmax(ours))
        tied += bool(ours[np.argmax(theirs)] >= ours.max() - SCORES_OFF)
    print(f"{model.manifest.name}: {patches} patches, top label the same {same}, or as good {tied}; scores equal to 0.00001 "
          f"{equal / patches:.2%}, worst {worst:.4f} off")
    assert tied == patches
    assert same >= 0.99 * patches
    assert equal >= 0.95 * patches - beyond
    assert far <= beyond
    assert worst <= FARTHEST_OFF
    return patches


def test_the_starters_file_scores_as_the_appliance_does(exports: Path, taught: Split, shared: Path, runtime: str) -> None:
    _agree(exports / "starter.tflite", taught, shared, runtime)


def test_yamnets_file_scores_as_the_appliance_does(yamnet_exports: Path, yamnet: Path, shared: Path, runtime: str) -> None:
    model = open_taught(yamnet, yamnet_exports / "yamnet.npz", runtime=runtime)
    _agree(yamnet_exports / "yamnet.tflite", model, shared, runtime)
    labels = packed_labels((yamnet_exports / "yamnet.tflite").read_bytes(), "yamnet")
    assert labels == model.labels and labels[0] == "Speech" and labels[-1] == TAUGHT


def test_what_was_taught_is_heard_by_the_file(exports: Path, taught: Split, store: Installer, runtime: str) -> None:
    back = open_model(store.install(exports / "starter.tflite", name="back"), runtime=runtime)
    assert back.wants == "samples" and back.labels == taught.labels and back.labels[-1] == TAUGHT
    for name in ("voice", "typing"):
        ours = classify(taught, scene(name), hop_seconds=0.48)
        theirs = classify(back, scene(name), hop_seconds=0.48)
        assert np.abs(ours.scores - theirs.scores).max() <= SCORES_OFF
        heard = (theirs.scores.argmax(axis=1) == len(back.labels) - 1).mean()
        assert heard > 0.5 if name == "voice" else heard == 0.0


def test_the_file_says_what_it_hears(exports: Path) -> None:
    content = (exports / "starter.tflite").read_bytes()
    assert audio_properties(content, "starter") == (16_000, 1)
    assert label_files(content, "starter") == ("labels.txt",)
    assert packed_labels(content, "starter") == (*open_model(STARTER).labels, TAUGHT)


def test_the_file_takes_a_waveform_and_gives_a_row_of_scores(exports: Path, taught: Split, runtime: str) -> None:
    opened = open_runtime(exports / "starter.tflite", runtime=runtime)
    assert [(each.name, each.shape, each.dtype) for each in opened.inputs] == [("waveform", (15_600,), "float32")]
    assert [(each.name, each.shape, each.dtype) for each in opened.outputs] == [
        ("scores", (1, len(taught.labels)), "float32")]


def test_exporting_again_gives_the_same_bytes(exports: Path, yamnet_exports: Path) -> None:
    first, second = (hashlib.sha256((folder / "starter.tflite").read_bytes()).hexdigest()
                     for folder in (exports, yamnet_exports))
    assert first == second


@pytest.mark.skipif(not HAS_LITERT, reason="taking a file apart needs LiteRT's schema")
def test_the_front_end_is_our_own_tables_and_the_backbone_is_as_it_was(exports: Path, yamnet_file: Path) -> None:
    graph = read_graph((exports / "starter.tflite").read_bytes(), "starter")
    backbone = read_graph((STARTER / "backbone.tflite").read_bytes(), "backbone")
    names = [graph.name(number) for number in range(len(graph.operators))]
    inside = [backbone.name(number) for number in range(len(backbone.operators))]
    assert names == ["RESHAPE", "GATHER", "RESHAPE", "MUL", "PAD", "RESHAPE", "RFFT2D", "RESHAPE", "COMPLEX_ABS",
                     "FULLY_CONNECTED", "LOG", "RESHAPE", "QUANTIZE", *inside, "DEQUANTIZE", "RESHAPE", "FULLY_CONNECTED",
                     "LOGISTIC"]
    values = {graph.tensors[number].name: graph.model.buffers[graph.tensors[number].buffer].data
              for number in range(len(graph.tensors)) if graph.constant(number)}
    assert bytes(values[b"window"]) == hann_window(400).tobytes()
    assert bytes(values[b"mel_weights"]) == mel_weights().T.tobytes()
    assert {bytes(buffer.data) for buffer in backbone.model.buffers if buffer.data is not None} <= {
        bytes(buffer.data) for buffer in graph.model.buffers if buffer.data is not None} | {
        bytes(backbone.model.buffers[entry.buffer].data) for entry in backbone.model.metadata}
    # Nothing of the published file is in it. (The mel weights may be its own values: both follow one formula.)
    published = read_graph(yamnet_file.read_bytes(), "yamnet")
    large = {bytes(buffer.data) for buffer in published.model.buffers
             if buffer.data is not None and len(buffer.data) > 4_096}
    assert large and not large & {bytes(data) for name, data in values.items() if name != b"mel_weights"}


@pytest.mark.skipif(not HAS_LITERT, reason="taking a file apart needs LiteRT's schema")
def test_a_backbone_with_a_float_embedding_is_exported_too() -> None:
    model = open_model(STARTER)
    assert isinstance(model, Split) and model.manifest.backbone is not None
    spec, content = model.manifest.backbone, (STARTER / "backbone.tflite").read_bytes()
    graph = read_graph(content, "backbone")
    real = TensorSpec(spec.output.shape, "float32")
    widened = graph.add_tensor("widened", real)
    graph.add_operator("DEQUANTIZE", graph.outputs, widened, version=2, options="DequantizeOptions")
    floating = pack_graph(graph, operators=range(len(graph.operators)), inputs=graph.inputs, outputs=(widened,),
                          description="float embedding")
    tables = FrontEndTables(hann_window(400), mel_weights(), LOG_OFFSET, 160, 96)
    about = Description("starter", "1", "Apache-2.0", "starter")
    scores = []
    for backbone, output in ((content, spec.output), (floating, real)):
        exported = export_split(backbone, replace(spec, output=output), model.head, model.labels, tables, about, "it")
        file = open_runtime(exported)
        file.set_input(np.random.default_rng(1).normal(0.0, 0.1, 15_600).astype(np.float32))
        file.invoke()
        scores.append(file.output())
    assert np.array_equal(*scores)
