"""A JSON object read key by key: what is not what it should be is named with its file and key."""

from __future__ import annotations

import json
import math
from typing import Any

from edge.errors import ModelError


class Table:
    """One JSON object, with getters that name file and key when what they find is not what they want."""

    def __init__(self, thing: str, prefix: str, values: dict[str, Any]) -> None:
        self.thing, self.prefix, self.values = thing, prefix, values

    def _get(self, key: str, kinds: type | tuple[type, ...], wanted: str) -> Any:
        if key not in self.values:
            raise self.wrong(key, "nothing", wanted)
        value = self.values[key]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise self.wrong(key, json.dumps(value)[:60], wanted)
        return value

    def wrong(self, key: str, found: str, wanted: str) -> ModelError:
        return ModelError(f"{self.thing}: {self.prefix}{key}", found=found, wanted=wanted)

    def text(self, key: str) -> str:
        value: str = self._get(key, str, "a text")
        return value

    def integer(self, key: str) -> int:
        value: int = self._get(key, int, "a whole number")
        return value

    def size(self, key: str) -> int:
        value = self.integer(key)
        if value < 1:
            raise self.wrong(key, str(value), "1 or more")
        return value

    def number(self, key: str) -> float:
        return float(self._get(key, (int, float), "a number"))

    def finite(self, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        value = self.number(key)
        if not (math.isfinite(value) and low <= value <= high):
            raise self.wrong(key, str(value), f"a number from {low:g} to {high:g}" if low > -math.inf else "a number")
        return value

    def all_numbers(self) -> dict[str, float]:
        return {key: self.number(key) for key in self.values}

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._get(key, list, "a list of numbers")
        for value in values:
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise self.wrong(key, json.dumps(value)[:60], "a list of numbers")
        return tuple(float(value) for value in values)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, json.dumps(value)[:60], "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._get(key, list, "a list of texts")
        for value in values:
            if not isinstance(value, str):
                raise self.wrong(key, json.dumps(value)[:60], "a list of texts")
        return tuple(values)

    def sizes(self, key: str) -> tuple[int, ...]:
        values = self._get(key, list, "a list of sizes")
        for value in values:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise self.wrong(key, json.dumps(value)[:60], "a list of sizes")
        return tuple(values)

    def table(self, key: str) -> Table:
        return Table(self.thing, f"{self.prefix}{key}.", self._get(key, dict, "a table"))

    def optional(self, key: str) -> Table | None:
        return None if self.values.get(key) is None else self.table(key)

    def tables(self, key: str) -> list[Table]:
        values = self._get(key, list, "a list of tables")
        for value in values:
            if not isinstance(value, dict):
                raise self.wrong(key, json.dumps(value)[:60], "a list of tables")
        return [Table(self.thing, f"{self.prefix}{key}[{index}].", value) for index, value in enumerate(values)]
