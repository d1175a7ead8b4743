"""How a good input becomes a bad one: bytes, JSON, lines of TOML, NumPy archives. Each knows what its readers trip over."""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import zipfile
from collections.abc import Sequence
from typing import Any

Random = random.Random

EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)
"""Numbers at the edges of the sizes that fields have."""
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**18, 10**400, 0.0, -0.0, 0.5, 1e-320, 1e15, 1e300,
    float("inf"), float("-inf"), float("nan"), "", " ", "\0", "\ud800", "a" * 300, "../x", "\N{SNOWMAN}", "1", [], {},
    [None], [[]], [0] * 50, {"": 0}, [1e300, -1e300], "2026-11-30T00:00:00Z", "9999-12-31T23:59:59.999999+23:59")
ODD_JSON = ("[" * 3_000, '{"a":' * 3_000, "9" * 5_000, "1e999999", "-", "NaN", '"\\ud800"', "\x00", "1" * 400,
            '{"a":1,"a":2}', "[" * 900 + "]" * 900)
ODD_TOML = ("0", "-1", "true", "1e400", "nan", "-inf", "9" * 400, "0x" + "f" * 400, "0x" + "f" * 9_000, "1_000", '""', "'a'",
            '"\\u0000"', '"""\nx"""', "[]", "{}", "[[]]", "[" * 600 + "]" * 600, "[" * 600, "{a=" * 400 + "1" + "}" * 400,
            "2026-11-30", "10:00:00", "2026-11-30T00:00:00Z", "0.5", "1e-320", '"' + "x" * 3_000 + '"', "9" * 5_000,
            "[1, \"a\"]", '["a"]', "a.b", "1.5.2")


def of_bytes(data: bytes, chance: Random, *, tokens: Sequence[bytes] = (), times: int = 4) -> bytes:
    """One to `times` small changes: bits, numbers at any place, pieces cut out, doubled or put in, a torn end."""
    made = bytearray(data)
    for _ in range(chance.randint(1, times)):
        size = len(made)
        at = chance.randrange(size + 1)
        kind = chance.randrange(9)
        if kind == 0 and size:
            made[at % size] ^= 1 << chance.randrange(8)
        elif kind == 1 and size:
            made[at % size] = chance.choice(EDGES) & 0xFF
        elif kind in (2, 3):
            form = chance.choice(("<H", ">H", "<I", ">I", "<Q"))
            width = struct.calcsize(form)
            made[at:at + width] = struct.pack(form, chance.choice(EDGES) & ((1 << (8 * width)) - 1))
        elif kind == 4:
            del made[at:at + chance.choice((1, 2, 4, 16, size // 2))]
        elif kind == 5:
            made[at:at] = made[at:at + chance.choice((1, 4, 32, 256))]
        elif kind == 6:
            made[at:at] = chance.choice(tokens) if tokens else chance.randbytes(chance.randint(1, 8))
        elif kind == 7:
            made[at:at + chance.randint(1, 16)] = chance.randbytes(chance.randint(1, 16))
        else:
            del made[at:]
    return bytes(made)


def of_json(data: bytes, chance: Random, *, tokens: Sequence[bytes] = ()) -> bytes:
    """A value, a key or the order of a JSON text changed; now and then its bytes instead."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return of_bytes(data, chance, tokens=tokens)
    if chance.random() < 0.15 or not isinstance(whole, dict | list):
        return of_bytes(data, chance, tokens=tokens)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        whole = _changed(whole, chance)
    mark = "\ue000"
    raw = chance.random() < 0.1
    if raw and (places := _places(whole)):  # what no encoder writes
        holder, key = chance.choice(places)
        holder[key] = mark
    try:
        text = json.dumps(whole, ensure_ascii=chance.random() < 0.5)
    except RecursionError:  # it was hundreds deep before
        return of_bytes(data, chance, tokens=tokens)
    if raw:
        text = text.replace(json.dumps(mark), chance.choice(ODD_JSON), 1).replace(f'"{mark}"', chance.choice(ODD_JSON), 1)
    return text.encode("utf-8", "surrogatepass")


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a document that holds a value: what holds it, and its key or number."""
    found: list[tuple[Any, Any]] = []
    waiting = [value] if isinstance(value, dict | list) else []
    while waiting:
        holder = waiting.pop()
        for key, inner in list(holder.items()) if isinstance(holder, dict) else enumerate(holder):
            found.append((holder, key))
            if isinstance(inner, dict | list):
                waiting.append(inner)
    return found


def _changed(whole: Any, chance: Random) -> Any:
    places = _places(whole)
    if not places:
        return copy.deepcopy(chance.choice(ODD_VALUES))
    holder, key = chance.choice(places)
    value, kind = holder[key], chance.randrange(12)
    if kind < 3:
        holder[key] = copy.deepcopy(chance.choice(ODD_VALUES))  # it is changed in its place, perhaps
    elif kind in (4, 10, 11):
        holder[key] = _near(value, chance)
    elif kind in (3, 5):
        del holder[key]
    elif kind == 6:
        other, place = chance.choice(places)
        try:
            holder[key] = json.loads(json.dumps(other[place]))
        except (KeyError, IndexError, RecursionError):  # it was taken out just now, or is hundreds deep
            holder[key] = None
    elif kind == 7 and isinstance(holder, dict):
        holder[chance.choice(("", "x", key.upper(), f"{key}x", "schema", "__class__"))] = holder.pop(key)
    elif kind == 8 and isinstance(holder, list):
        holder.insert(key, value)
    else:
        holder[key] = chance.choice(([value], {"x": value}, str(value)[:100]))
    return whole


def _near(value: Any, chance: Random) -> Any:
    """A value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return chance.choice((value + 1, value - 1, -value, value * 1000, chance.choice(EDGES)))
    if isinstance(value, float):
        return chance.choice((value * 1e6, -value, value + 1, value * 1e-9, value * 1e38))
    if isinstance(value, str):
        at = chance.randrange(len(value) + 1)
        odd = chance.choice(("", "\n", "é", "\x7f", "%s", "{}", "'", '"', "\ud800"))
        return value[:at] + odd + value[at + chance.randint(0, 1):]
    return value * 2 if isinstance(value, list) and len(value) < 1_000 else value


def of_toml(data: bytes, chance: Random, *, words: Sequence[str] = ()) -> bytes:
    """A line of TOML with another value or key, twice, gone, elsewhere; now and then its bytes changed instead."""
    if chance.random() < 0.15:
        return of_bytes(data, chance, tokens=[word.encode() for word in words])
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        key, sign, _ = lines[at].partition("=")
        kind = chance.randrange(8)
        if kind < 4 and sign:
            lines[at] = f"{key}= {chance.choice(ODD_TOML)}"
        elif kind == 4 and words:
            lines.insert(at, f"{chance.choice(words)} = {chance.choice(ODD_TOML)}")
        elif kind == 5 and words:
            name = chance.choice(words)
            lines.insert(at, chance.choice((f"[{name}]", f"[[{name}]]", f"[{name}.x]", f"[{name}", f"[[{name}]")))
        elif kind == 6:
            del lines[at:at + chance.randint(1, 3)]
            lines = lines or [""]
        else:
            lines.insert(chance.randrange(len(lines) + 1), lines[at])
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def of_archive(data: bytes, chance: Random, *, words: str = "about.npy") -> bytes:
    """One array of a NumPy archive changed, the archive whole again around it; now and then the archive's bytes instead.

    words: the array that holds JSON.
    """
    if chance.random() < 0.25:
        return of_bytes(data, chance)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # whatever an archive that was changed before may raise; its bytes can be changed still
        return of_bytes(data, chance)
    if not parts:
        return of_bytes(data, chance)
    name = words if words in parts and chance.random() < 0.5 else chance.choice(list(parts))
    kind = chance.randrange(8)
    if name == words and kind < 6:
        parts[name] = _words_changed(parts[name], chance)
    elif kind == 6:
        del parts[name]
    elif kind == 7:
        parts[chance.choice(list(parts))] = parts[name]
    else:
        parts[name] = _array_changed(parts[name], chance)
    return _archive(parts, compressed=chance.random() < 0.3)


def _words_changed(array: bytes, chance: Random) -> bytes:
    import numpy as np

    try:
        text = str(np.load(io.BytesIO(array), allow_pickle=False))
    except Exception:  # an array that was changed before
        return of_bytes(array, chance)
    changed = of_json(text.encode("utf-8", "surrogatepass"), chance).decode("utf-8", "replace")
    made = io.BytesIO()
    np.save(made, np.array(changed))
    return made.getvalue()


def _array_changed(array: bytes, chance: Random) -> bytes:
    """Its header's words, or its values."""
    end = array.find(b"\n") + 1
    header, values = array[:end], array[end:]
    if chance.random() < 0.5:
        swaps = ((b"<f4", b"<f8"), (b"<f4", b"<i4"), (b"|i1", b"|u1"), (b"|i1", b"|O1"), (b"|u1", b"|b1"), (b"<f4", b"|S4"),
                 (b"False", b"True "), (b"(", b"(0,"), (b",)", b",1)"), (b"(", b"(-"), (b"(", b"(99999999999,"),
                 (b"<U", b">U"), (b"'shape'", b"'shapf'"), (b"{", b"["), (b"(", b"(1,"), (b"<f4", b"<c8"),
                 (b"descr", b"descs"), (b"<U", b"|S"))
        old, new = chance.choice(swaps)
        return _fitted(header.replace(old, new, 1)) + values
    odd = (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\x7f\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff")  # NaN, inf, the highest
    at = chance.randrange(len(values) + 1) & ~3
    return header + values[:at] + chance.choice(odd) + values[at + 4:]


def _fitted(header: bytes) -> bytes:
    """An array's header with the length that it states made right (numpy.lib.format, version 1)."""
    return header if len(header) < 10 else header[:8] + struct.pack("<H", (len(header) - 10) & 0xFFFF) + header[10:]


def _archive(parts: dict[str, bytes], *, compressed: bool) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue()
