"""The graph surgery on YAMNet as published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.quantisation import dequantise, quantise
from edge.model.runtime import open_runtime
from edge.workshop.models.layout import OtherLayout, find_layout
from edge.workshop.models.split import Cut, expose, pack_graph, read_graph, split

pytest.importorskip("ai_edge_litert", reason="splitting needs LiteRT's schema")


@pytest.fixture(scope="module")
def published(yamnet_file: Path) -> bytes:
    return yamnet_file.read_bytes()


@pytest.fixture(scope="module")
def cut(published: bytes) -> Cut:
    return split(published, "yamnet")


def test_the_backbone_takes_int8_bands_and_gives_the_embedding(cut: Cut) -> None:
    backbone = open_runtime(cut.backbone, runtime="litert")
    assert [(each.shape, each.dtype) for each in backbone.inputs] == [((1, 96, 64, 1), "int8")]
    assert [(each.shape, each.dtype) for each in backbone.outputs] == [((1, 1, 1, 1024), "int8")]
    assert (cut.input.scale, cut.input.zero_point) == (pytest.approx(0.04802061), 16)
    assert (cut.output.scale, cut.output.zero_point) == (pytest.approx(0.02232835), -128)


def test_splitting_twice_gives_the_same_bytes(published: bytes, cut: Cut) -> None:
    assert split(published, "yamnet").backbone == cut.backbone


def test_only_what_the_backbone_needs_is_kept(published: bytes, cut: Cut) -> None:
    kept = read_graph(cut.backbone, "backbone")
    used = {int(tensor) for operator in kept.operators for tensor in (*operator.inputs, *operator.outputs)}
    assert used == set(range(len(kept.tensors)))
    assert len(kept.model.buffers) <= len(kept.tensors) + 1
    assert {kept.name(index) for index in range(28)} == {"CONV_2D", "DEPTHWISE_CONV_2D", "MEAN"}
    assert len(cut.backbone) < len(published)


def test_buffers_are_aligned_as_the_schema_asks(cut: Cut) -> None:
    # The object API aligns bytes to 4; a board that wants int32 biases or NEON loads aligned would fault or crawl.
    kept = read_graph(cut.backbone, "backbone")
    for buffer in kept.model.buffers:
        if buffer.data is not None and len(buffer.data):
            assert cut.backbone.index(bytes(buffer.data)) % 16 == 0


def test_the_head_is_the_files_own_weights_dequantised(published: bytes, cut: Cut) -> None:
    graph = read_graph(published, "yamnet")
    layout = find_layout(graph, "yamnet")
    weights = graph.model.buffers[graph.tensors[layout.weights].buffer].data.view(np.int8).reshape(521, 1024)
    assert cut.head.weights.dtype == np.float32 and cut.head.weights.shape == (521, 1024)
    again = quantise(cut.head.weights, scale=graph.spec(layout.weights).scale, zero_point=0, dtype="int8")
    assert np.array_equal(again, weights)
    assert cut.head.bias.shape == (521,)


def test_the_backbone_gives_the_files_own_embedding_bit_for_bit(published: bytes, cut: Cut) -> None:
    whole = open_runtime(expose(published, "yamnet"), runtime="litert")
    backbone = open_runtime(cut.backbone, runtime="litert")
    noise = np.random.default_rng(5)
    for loud in (0.0, 1e-4, 1e-2, 1.0):
        whole.set_input((noise.standard_normal(15_600) * loud).clip(-1, 1).astype(np.float32))
        whole.invoke()
        backbone.set_input(whole.output(1).reshape(1, 96, 64, 1))
        backbone.invoke()
        assert np.array_equal(backbone.output(), whole.output(2))


def test_a_file_whose_operators_moved_is_cut_just_the_same(published: bytes, cut: Cut) -> None:
    # Nothing hangs on numbers: the same graph, packed anew with its tensors counted otherwise.
    graph = read_graph(published, "yamnet")
    layout = find_layout(graph, "yamnet")
    exposed = read_graph(expose(published, "yamnet"), "exposed")
    moved = pack_graph(exposed, operators=tuple(range(len(exposed.operators))), inputs=exposed.inputs,
                       outputs=exposed.outputs[:1], description="moved")
    assert len(layout.operators) == 28
    assert split(moved, "moved").backbone == cut.backbone


def test_embeddings_of_one_patch_differ_from_another(cut: Cut) -> None:
    backbone = open_runtime(cut.backbone, runtime="litert")
    embeddings = []
    for level in (-6.9, 2.0):
        bands = quantise(np.full((1, 96, 64, 1), level, np.float32), scale=cut.input.scale,
                         zero_point=cut.input.zero_point, dtype="int8")
        backbone.set_input(bands)
        backbone.invoke()
        embeddings.append(dequantise(backbone.output(), scale=cut.output.scale, zero_point=cut.output.zero_point))
    assert not np.array_equal(*embeddings) and (np.array(embeddings) >= 0).all()


@pytest.mark.parametrize(("name", "found"), [("float", "float32"), ("two_outputs", "1 inputs, 2 outputs"),
                                             ("spectrogram", "float32")])
def test_a_model_of_another_layout_says_what_was_found(tiny: Path, name: str, found: str) -> None:
    with pytest.raises(OtherLayout, match=f"layout: found .*{found}.*YAMNet's layout"):
        split((tiny / f"{name}.tflite").read_bytes(), name)


@pytest.mark.parametrize("content", [b"\0" * 8, b"TFL3" * 4, b"\xff" * 64])
def test_bytes_that_are_no_graph_are_refused(content: bytes) -> None:
    with pytest.raises(ModelError):
        split(content, "junk")
