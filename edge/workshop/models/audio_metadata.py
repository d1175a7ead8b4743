"""What a TFLite file's own metadata says of its sound (sample rate and channels) and of its labels.

Read from the bytes, for boards without LiteRT's schema. Table and field numbers are those of the public schemas:
schema.fbs (Model, Metadata, Buffer) and metadata_schema.fbs (ModelMetadata, SubGraphMetadata, TensorMetadata,
Content, AudioProperties, AssociatedFile). `self_description` writes what is read here.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from edge.errors import ModelError

_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_METADATA_NAME, _METADATA_BUFFER = 0, 1
_SUBGRAPHS, _INPUTS, _OUTPUTS, _CONTENT, _FILES = 3, 2, 3, 3, 6
_CONTENT_KIND, _CONTENT_PROPERTIES, _AUDIO = 0, 1, 4
_FILE_NAME, _FILE_KIND, _AXIS_LABELS = 0, 2, 2
METADATA_NAME = b"TFLITE_METADATA"
"""What the entry for ModelMetadata is called in a model's list of metadata."""


def audio_properties(model: bytes, thing: str) -> tuple[int, int] | None:
    """Sample rate in Hz and channels of the first input; None where the file does not say.

    Raises ModelError if the metadata cannot be read.
    """
    with _readable(thing):
        metadata = _metadata(model)
        return None if metadata is None else _first_input(metadata)


def label_files(model: bytes, thing: str) -> tuple[str, ...]:
    """Names of the files inside the model that hold a label for each value of its first output; none said: empty.

    Raises ModelError if the metadata cannot be read.
    """
    with _readable(thing):
        metadata = _metadata(model)
        subgraphs = _tables(metadata, _root(metadata), _SUBGRAPHS) if metadata is not None else []
        if metadata is None or not subgraphs or not (outputs := _tables(metadata, subgraphs[0], _OUTPUTS)):
            return ()
        names = []
        for file in _tables(metadata, outputs[0], _FILES):
            name, kind = _field(metadata, file, _FILE_NAME), _field(metadata, file, _FILE_KIND)
            if name is not None and kind is not None and metadata[kind] == _AXIS_LABELS:
                names.append(_bytes(metadata, name).decode("utf-8", "replace"))
        return tuple(names)


@contextlib.contextmanager
def _readable(thing: str) -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError) as error:
        raise ModelError(f"{thing}: metadata", found=f"a broken table ({error})", wanted="a TFLite model") from error


def _metadata(model: bytes) -> bytes | None:
    root = _root(model)
    for entry in _tables(model, root, _MODEL_METADATA):
        name = _field(model, entry, _METADATA_NAME)
        if name is not None and _bytes(model, name) == METADATA_NAME:
            at = _field(model, entry, _METADATA_BUFFER)
            buffer = _tables(model, root, _MODEL_BUFFERS)[_number(model, at) if at is not None else 0]
            data = _field(model, buffer, 0)
            return _bytes(model, data) if data is not None else None
    return None


def _first_input(metadata: bytes) -> tuple[int, int] | None:
    subgraphs = _tables(metadata, _root(metadata), _SUBGRAPHS)
    inputs = _tables(metadata, subgraphs[0], _INPUTS) if subgraphs else []
    content = _field(metadata, inputs[0], _CONTENT) if inputs else None
    if content is None:
        return None
    table = _follow(metadata, content)
    kind, properties = _field(metadata, table, _CONTENT_KIND), _field(metadata, table, _CONTENT_PROPERTIES)
    if kind is None or properties is None or metadata[kind] != _AUDIO:
        return None
    audio = _follow(metadata, properties)
    rate, channels = _field(metadata, audio, 0), _field(metadata, audio, 1)
    if rate is None:
        return None
    return _number(metadata, rate), _number(metadata, channels) if channels is not None else 1


# Flatbuffers: a table begins with the distance back to its vtable, which holds the fields' places; what is not a
# number is found by following a distance forward. Every read is checked by struct, so a wrong distance raises.

def _number(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<I", data, at)[0]
    return value


def _follow(data: bytes, at: int) -> int:
    return at + _number(data, at)


def _root(data: bytes) -> int:
    return _follow(data, 0)


def _field(data: bytes, table: int, index: int) -> int | None:
    """Where the table's field is, or None where it is left at its default."""
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise IndexError("a vtable before the file")
    if 4 + 2 * index >= struct.unpack_from("<H", data, vtable)[0]:
        return None
    place: int = struct.unpack_from("<H", data, vtable + 4 + 2 * index)[0]
    return table + place if place else None


def _tables(data: bytes, table: int, index: int) -> list[int]:
    """Where the tables of a vector of tables are; none where the field is left out."""
    at = _field(data, table, index)
    if at is None:
        return []
    start = _follow(data, at)
    count = _number(data, start)
    if count > len(data) // 4:
        raise IndexError(f"{count} entries")
    return [_follow(data, start + 4 + 4 * number) for number in range(count)]


def _bytes(data: bytes, at: int) -> bytes:
    """A text or a vector of bytes."""
    start = _follow(data, at)
    return data[start + 4:start + 4 + _number(data, start)]
