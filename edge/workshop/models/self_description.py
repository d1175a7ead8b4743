"""What a TFLite file says of itself, as phone apps want to be told: ModelMetadata, and a list of labels packed inside.

MediaPipe's audio classifier and TensorFlow Lite's task library read the sample rate from it and name the scores by it.
Table and field numbers are those of the public metadata_schema.fbs; `audio_metadata` reads what is written here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError
from edge.stream import SAMPLE_RATE

LABEL_FILE = "labels.txt"
_PARSER = "1.3.0"
"""The oldest parser that knows AudioProperties."""
_FEATURE, _AUDIO = 1, 4
"""Kinds of content: plain values, sound."""
_AXIS_LABELS = 2
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say: the same labels give the same bytes."""


@dataclass(frozen=True, slots=True)
class Description:
    """Words about a model, for people: name, version, licence, and what it hears."""

    name: str
    version: str
    licence: str
    text: str


def metadata(about: Description, *, labels: int) -> bytes:
    """ModelMetadata as a flatbuffer (identifier M001): mono sound at 16 kHz in, a score for each of `labels` out.

    Needs the package flatbuffers, which LiteRT brings.
    """
    import flatbuffers

    writer = _Writer(flatbuffers.Builder(1024))
    audio = writer.table(2, numbers={0: SAMPLE_RATE, 1: 1})
    sound = writer.tensor("waveform", f"Mono sound at {SAMPLE_RATE} Hz, -1 to 1.", _AUDIO, audio, [])
    file = writer.table(5, kinds={2: _AXIS_LABELS}, children={
        0: writer.text(LABEL_FILE), 1: writer.text("A label for each score, one a line.")})
    scores = writer.tensor("scores", f"Scores from 0 to 1, one for each of {labels} labels.", _FEATURE,
                           writer.table(0), [file], low=0.0, high=1.0)
    subgraph = writer.table(10, children={2: writer.tables([sound]), 3: writer.tables([scores])})
    model = writer.table(8, children={
        0: writer.text(about.name), 1: writer.text(about.text), 2: writer.text(about.version),
        3: writer.tables([subgraph]), 5: writer.text(about.licence), 7: writer.text(_PARSER)})
    writer.builder.Finish(model, file_identifier=b"M001")
    return bytes(writer.builder.Output())


def with_labels(model: bytes, labels: Sequence[str]) -> bytes:
    """The model with its labels behind it as an uncompressed zip, so that the file is both.

    Raises ModelError for labels that would not be read back as they are (a line break in one, say).
    """
    wrong = next((label for label in labels if label.strip().splitlines() != [label]), None)
    if wrong is not None:
        raise ModelError("labels", found=repr(wrong), wanted="one line each, without spaces around it")
    text = "".join(f"{label}\n" for label in labels).encode()
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        entry = zipfile.ZipInfo(LABEL_FILE, _LONG_AGO)
        entry.external_attr, entry.create_system = 0o644 << 16, 3
        archive.writestr(entry, text)
    return file.getvalue()


class _Writer:
    """Tables by field number, over the builder: children are made before their parents."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def text(self, value: str) -> int:
        return int(self.builder.CreateString(value))

    def tables(self, children: Sequence[int]) -> int:
        self.builder.StartVector(4, len(children), 4)
        for child in reversed(children):
            self.builder.PrependUOffsetTRelative(child)
        return int(self.builder.EndVector())

    def table(self, fields: int, *, numbers: dict[int, int] | None = None, kinds: dict[int, int] | None = None,
              children: dict[int, int] | None = None) -> int:
        """numbers: uint32 fields; kinds: one-byte fields; children: what `text`, `tables` and `table` made."""
        self.builder.StartObject(fields)
        for field, child in (children or {}).items():
            self.builder.PrependUOffsetTRelativeSlot(field, child, 0)
        for field, number in (numbers or {}).items():
            self.builder.PrependUint32Slot(field, number, 0)
        for field, kind in (kinds or {}).items():
            self.builder.PrependUint8Slot(field, kind, 0)
        return int(self.builder.EndObject())

    def tensor(self, name: str, text: str, kind: int, properties: int, files: Sequence[int], *, low: float = -1.0,
               high: float = 1.0) -> int:
        """TensorMetadata with its content, the range of its values, and the files that belong to it."""
        content = self.table(3, kinds={0: kind}, children={1: properties})
        stats = self.table(2, children={0: self._floats(high), 1: self._floats(low)})
        children = {0: self.text(name), 1: self.text(text), 3: content, 5: stats}
        if files:
            children[6] = self.tables(files)
        return self.table(7, children=children)

    def _floats(self, value: float) -> int:
        self.builder.StartVector(4, 1, 4)
        self.builder.PrependFloat32(value)
        return int(self.builder.EndVector())
