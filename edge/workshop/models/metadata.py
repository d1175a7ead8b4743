"""What a TFLite file says of itself: the sample rate that it hears, and its labels. Read here, and written here.

Reading needs no package: boards without LiteRT have no schema. Writing needs flatbuffers; MediaPipe's audio classifier
and TensorFlow Lite's task library read the result. Table and field numbers are those of the public schemas: schema.fbs
(Model, Metadata, Buffer) and metadata_schema.fbs (ModelMetadata, SubGraphMetadata, TensorMetadata, Content,
AudioProperties, AssociatedFile).
"""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError
from edge.stream import SAMPLE_RATE

METADATA_NAME = b"TFLITE_METADATA"
"""What the entry for ModelMetadata is called in a model's list of metadata."""
LABEL_FILE = "labels.txt"
_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_METADATA_NAME, _METADATA_BUFFER = 0, 1
_SUBGRAPHS, _INPUTS, _OUTPUTS, _CONTENT, _FILES = 3, 2, 3, 3, 6
_CONTENT_KIND, _CONTENT_PROPERTIES = 0, 1
_FILE_NAME, _FILE_KIND, _AXIS_LABELS = 0, 2, 2
_FEATURE, _AUDIO = 1, 4
"""Kinds of content: plain values, sound."""
_PARSER = "1.3.0"
"""The oldest parser that knows AudioProperties."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say: the same labels give the same bytes."""


def audio_properties(model: bytes, thing: str) -> tuple[int, int] | None:
    """Sample rate in Hz and channels of the first input; None where the file does not say.

    Raises ModelError if the metadata cannot be read.
    """
    with _readable(thing):
        content = [table for tensor in _first(model, _INPUTS) for table in tensor.tables(_CONTENT, single=True)]
        sound = [table for each in content if each.kind(_CONTENT_KIND) == _AUDIO
                 for table in each.tables(_CONTENT_PROPERTIES, single=True)]
        if not sound or not (rate := sound[0].number(0, 0)):
            return None
        return rate, sound[0].number(1, 1)


def label_files(model: bytes, thing: str) -> tuple[str, ...]:
    """Names of the files inside the model that label its first output's values; empty where it names none.

    Raises ModelError if the metadata cannot be read.
    """
    with _readable(thing):
        files = [file for tensor in _first(model, _OUTPUTS) for file in tensor.tables(_FILES)]
        return tuple(file.bytes(_FILE_NAME).decode("utf-8", "replace") for file in files
                     if file.kind(_FILE_KIND) == _AXIS_LABELS)


@contextlib.contextmanager
def _readable(thing: str) -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError) as error:
        raise ModelError(f"{thing}: metadata", found=f"a broken table ({error})", wanted="a TFLite model") from error


class _Table:
    """A table of a flatbuffer, read where it lies. A wrong distance raises struct.error or IndexError.

    A table begins with the distance back to its vtable, which holds the places of the fields. A field that is no number
    holds the distance forward to its value.
    """

    def __init__(self, data: bytes, distance_at: int) -> None:
        """distance_at: where the distance to the table stands."""
        self._data = data
        self._at = distance_at + self._read("<I", distance_at)

    def _read(self, form: str, at: int) -> int:
        value: int = struct.unpack_from(form, self._data, at)[0]
        return value

    def _place(self, field: int) -> int | None:
        """Where the field is, or None where it is left at its default."""
        vtable = self._at - self._read("<i", self._at)
        if vtable < 0:
            raise IndexError("a vtable before the file")
        if 4 + 2 * field >= self._read("<H", vtable):
            return None
        place = self._read("<H", vtable + 4 + 2 * field)
        return self._at + place if place else None

    def number(self, field: int, otherwise: int) -> int:
        """A uint32 field."""
        place = self._place(field)
        return otherwise if place is None else self._read("<I", place)

    def kind(self, field: int) -> int:
        """A one-byte field."""
        place = self._place(field)
        return 0 if place is None else self._read("<B", place)

    def tables(self, field: int, *, single: bool = False) -> list[_Table]:
        """The tables of a vector, or the one table of a `single` field; none where the field is left out."""
        place = self._place(field)
        if place is None or single:
            return [] if place is None else [_Table(self._data, place)]
        start = place + self._read("<I", place)
        count = self._read("<I", start)
        if count > len(self._data) // 4:
            raise IndexError(f"{count} entries")
        return [_Table(self._data, start + 4 + 4 * number) for number in range(count)]

    def bytes(self, field: int) -> bytes:
        """A text or a vector of bytes; empty where it is left out."""
        place = self._place(field)
        if place is None:
            return b""
        start = place + self._read("<I", place)
        return self._data[start + 4:start + 4 + self._read("<I", start)]


def _first(model: bytes, which: int) -> list[_Table]:
    """What the metadata says of the model's first input or output; nothing where it says nothing."""
    root = _Table(model, 0)
    for entry in root.tables(_MODEL_METADATA):
        if entry.bytes(_METADATA_NAME) == METADATA_NAME:
            said = root.tables(_MODEL_BUFFERS)[entry.number(_METADATA_BUFFER, 0)].bytes(0)
            subgraphs = _Table(said, 0).tables(_SUBGRAPHS) if said else []
            return subgraphs[0].tables(which)[:1] if subgraphs else []
    return []


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
        """numbers: uint32 fields. kinds: one-byte fields. children: what `text`, `tables` and `table` made."""
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
