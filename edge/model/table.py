"""Checked tables: dataclasses out of JSON or TOML, each key by its field's type, range and choices.

What is not as it should be is an error that names file and key, what was found and what was wanted.
"""

from __future__ import annotations

import functools
import json
import math
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from edge.errors import EdgeError, ModelError, nearest

T = TypeVar("T")
NO_LIMITS: Mapping[str, Any] = {}
FARTHEST, FLOATS = 1 << 63, sys.float_info.max
SIDES = (("low", -math.inf), ("high", math.inf))


def within(low: float = -math.inf, high: float = math.inf, *, choices: tuple[str, ...] | None = None) -> Mapping[str, Any]:
    """Metadata of a field: its value, or each value of its tuple, is from `low` to `high`, or one of `choices`."""
    return {"low": low, "high": high, "choices": choices}


@functools.cache
def hints_of(kind: type[Any]) -> dict[str, Any]:
    """The type of each field of a dataclass."""
    return get_type_hints(kind)


class Table:
    """One table. A key that no field has is left alone: what changes a meaning changes `schema`."""

    error: type[EdgeError] = ModelError
    words: ClassVar[Mapping[Any, str]] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    lists: ClassVar[Mapping[Any, str]] = {str: "a list of texts", int: "a list of sizes", float: "a list of numbers"}

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        """where: what stands before a key in errors: "manifest.json: backbone."."""
        self.where, self.values = where, values

    def read(self, kind: type[T], /, **given: Any) -> T:
        """A `kind` (a dataclass) of this table; given: fields that lie elsewhere. Raises ModelError."""
        hints = hints_of(kind)  # type: ignore[arg-type]
        for key in fields(kind):  # type: ignore[arg-type]
            default = key.default_factory() if key.default_factory is not MISSING else key.default
            if key.name not in given:
                given[key.name] = self.get(key.name, hints[key.name], default=default, limits=key.metadata)
        return kind(**given)

    def get(self, key: str, hint: Any, *, default: Any = MISSING, limits: Mapping[str, Any] = NO_LIMITS) -> Any:
        """The value of one key, checked against its type.

        hint: str, int, float, bool or a dataclass; a tuple, dict or `| None` of one. limits: as `within` gives them.
        Raises ModelError for a value of another type or out of its limits, and for a missing one without a default.
        """
        # A null in the file is a value of the wrong type, unless None is the default.
        if default is not MISSING and self.values.get(key, default) is default:
            return default
        if key not in self.values:
            raise self.wrong(key, "nothing", self.words.get(hint, "a list" if get_origin(hint) is tuple else "a table"))
        return self._checked(key, self.values[key], hint, limits)

    def wrong(self, key: str, found: str, wanted: str) -> EdgeError:
        """The error that names this key."""
        return self.error(f"{self.where}{key}", found=found, wanted=wanted)

    def shown(self, value: Any) -> str:
        """A value as an error shows it."""
        try:
            return json.dumps(value)[:60]
        except RecursionError:  # what was just read, a little deeper in our own calls
            return "lists or tables in one another, hundreds deep"

    def _checked(self, key: str, value: Any, hint: Any, limits: Mapping[str, Any]) -> Any:
        inside = get_args(hint)
        if get_origin(hint) is UnionType:
            return None if value is None else self._checked(key, value, inside[0], limits)
        if get_origin(hint) is tuple:
            return self._several(key, value, inside, limits)
        if get_origin(hint) is dict or is_dataclass(hint):
            if not isinstance(value, dict):
                raise self.wrong(key, self.shown(value), "a table")
            table = type(self)(f"{self.where}{key}.", value)
            return {each: table.get(each, inside[1]) for each in value} if inside else table.read(hint)
        if not is_a(hint, value):
            raise self.wrong(key, self.shown(value), self.words[hint])
        if (choices := limits.get("choices")) is not None and value not in choices:
            near = "".join(f" (did you mean {each!r}?)" for each in nearest(value, choices))
            raise self.wrong(key, repr(value), f"one of {', '.join(choices)}{near}")
        low, high = (side if limits.get(name) is None else limits[name] for name, side in SIDES)
        if hint in (int, float) and not (math.isfinite(value) and low <= value <= high):
            wanted = self.words[hint] if low == -math.inf else f"{low} or more" if high == math.inf else f"{low} to {high}"
            raise self.wrong(key, str(value), wanted)
        return hint(value)

    def _several(self, key: str, value: Any, inside: tuple[Any, ...], limits: Mapping[str, Any]) -> tuple[Any, ...]:
        kind, low = inside[0], limits.get("low", -math.inf)
        tables = is_dataclass(kind)
        wanted = "a list of tables" if tables else self.lists[kind]
        if not isinstance(value, list):
            raise self.wrong(key, self.shown(value), wanted)
        if inside[-1] is not Ellipsis and len(value) != len(inside):
            raise self.wrong(key, f"{len(value)} values", f"{len(inside)}")
        for each in value:
            if not (isinstance(each, dict) if tables else
                    is_a(kind, each) and (kind is str or max(low, -FLOATS) <= each <= FLOATS)):
                raise self.wrong(key, self.shown(each), wanted)
        if not tables:
            return tuple(kind(each) for each in value)
        return tuple(table.read(kind) for table in self.tables(key))

    def tables(self, key: str) -> list[Table]:
        """The tables of a list of tables. Raises ModelError."""
        values = self.values.get(key)
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            raise self.wrong(key, self.shown(values), "a list of tables")
        return [type(self)(f"{self.where}{key}[{index}].", each) for index, each in enumerate(values)]


def is_a(kind: type[Any], value: Any) -> bool:
    """Whether a value serves as one of `kind`; a whole number serves as a float, a bool as itself only.

    A whole number beyond 64 bits serves as none: a file can hold one of thousands of digits, which is no float either.
    """
    if kind is float:
        return isinstance(value, float) or (is_a(int, value) and abs(value) < 1e15)
    if kind is int and isinstance(value, int) and not -FARTHEST <= value < FARTHEST:
        return False
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def json_table(content: str | bytes, thing: str, *, schema: int, wanted: str, oldest: int | None = None) -> Table:
    """A JSON text as one table of this schema; `thing` names it in errors. oldest: the oldest schema that is read too;
    None: this one alone. Raises ModelError."""
    try:
        parsed = json.loads(content if isinstance(content, str) else content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ModelError(thing, found="bytes that are no UTF-8", wanted=wanted) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(thing, found=f"no JSON ({error})", wanted=wanted) from error
    if not isinstance(parsed, dict):
        raise ModelError(thing, found=type(parsed).__name__, wanted="a table")
    table = Table(f"{thing}: ", parsed)
    if not (schema if oldest is None else oldest) <= (found := table.get("schema", int)) <= schema:
        raise table.wrong("schema", str(found), str(schema))
    return table


def toml_document(text: str, thing: str, *, error: type[EdgeError], wanted: str) -> dict[str, Any]:
    """What a TOML text holds. Raises `error` that names `thing` and what was `wanted`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise error(thing, found=f"no TOML ({fault})", wanted=wanted) from fault
    except RecursionError as fault:
        raise error(thing, found="lists or tables in one another, hundreds deep", wanted=wanted) from fault
    except ValueError as fault:  # tomllib lets through what Python says of it
        raise error(thing, found="a whole number of thousands of digits", wanted=wanted) from fault
