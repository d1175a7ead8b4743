"""YAML as an owner or Raspberry Pi Imager wrote it: every scalar is a text, and knows its line and its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from .durable import Span
from .errors import Refused, shown

LARGEST = 65_536
"""Bytes; Imager's files have some hundred."""
DEEPEST = 32
SECRET_KEYS = frozenset({"passwd", "password", "hashed_passwd", "plain_text_passwd", "psk", "client-key-password",
                         "private-key"})
"""Keys of user-data and network-config whose scalars are never shown."""


@dataclass(frozen=True)
class Value:
    """One node. content: a text, a list of values, or a dict of them; line: from 1."""

    content: str | list[Value] | dict[str, Value]
    line: int
    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str | None:
        """The scalar's text; None for a list or a mapping."""
        return self.content if isinstance(self.content, str) else None

    @property
    def items(self) -> dict[str, Value]:
        """The mapping's values; empty for anything else."""
        return self.content if isinstance(self.content, dict) else {}

    @property
    def flag(self) -> bool | None:
        """True or false, as YAML 1.1 and cloud-init spell them; None for anything else."""
        return {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False,
                "0": False}.get((self.text or "").lower())

    @property
    def is_nothing(self) -> bool:
        return self.text is not None and self.text.lower() in ("", "~", "null")

    def texts(self) -> list[str] | None:
        """A list of texts; a single text counts as a list of one. None for anything else."""
        if isinstance(self.content, str):
            return [] if self.is_nothing else [self.content]
        if isinstance(self.content, list) and all(each.text is not None for each in self.content):
            return [each.text or "" for each in self.content]
        return None

    def plain(self) -> object:
        """Texts, lists and dicts, as `yaml.dump` and `json.dump` take them."""
        if isinstance(self.content, dict):
            return {key: each.plain() for key, each in self.content.items()}
        return [each.plain() for each in self.content] if isinstance(self.content, list) else self.content

    def secrets(self, under: bool = False) -> Iterator[Value]:
        """Every scalar below a secret's key."""
        if isinstance(self.content, dict):
            for key, each in self.content.items():
                yield from each.secrets(under or key in SECRET_KEYS)
        elif isinstance(self.content, list):
            for each in self.content:
                yield from each.secrets(under)
        elif under and self.content:
            yield self


def is_blank(text: str) -> bool:
    """Whether a secret is what `blanked` leaves of one."""
    return bool(text.strip()) and not text.replace("x", "").strip()


def decode(content: bytes) -> str:
    """The text of an owner's file. Raises Refused for one that is too long or no UTF-8."""
    if len(content) > LARGEST:
        raise Refused("", found=f"{len(content)} bytes", wanted=f"at most {LARGEST}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("", line=content[:error.start].count(b"\n") + 1, found="bytes that are no UTF-8",
                      wanted="a file saved as UTF-8 (in Windows' editor: save as, encoding UTF-8)") from None


def parse(content: bytes) -> Value:
    """The whole document; an empty one is an empty mapping.

    Raises Refused for what is no YAML, or more than an owner's file needs. No error quotes the file: it holds secrets.
    """
    text = decode(content)
    try:
        _only_what_is_needed(text)
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        return Value({}, 1) if node is None else _value(node, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = re.sub(r"'[^']*'|\"[^\"]*\"", "...", error.problem or "no YAML")
        raise Refused("", line=mark.line + 1 if mark else 0, found=f"no YAML ({said})",
                      wanted="key: value, indented with spaces") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # a character that YAML forbids; a number out of range
        raise Refused("", found="no YAML", wanted="key: value, indented with spaces, in plain text") from None


def _only_what_is_needed(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            raise Refused("", line=event.start_mark.line + 1 if event.start_mark else 0, wanted="plain keys and values",
                          found="an alias (*name)" if isinstance(event, yaml.AliasEvent) else f"{DEEPEST} levels or more")


def _value(node: yaml.Node, text: str) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Value(node.value, line, _spans(node, text))
    if isinstance(node, yaml.SequenceNode):
        return Value([_value(each, text) for each in node.value], line)
    content: dict[str, Value] = {}
    for key, each in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Refused("", line=key.start_mark.line + 1, found="a key that is no word", wanted="key: value")
        if key.value in content:
            raise Refused(shown(key.value), line=key.start_mark.line + 1, found="this key again", wanted="each key once")
        content[key.value] = _value(each, text)
    return Value(content, line)


def _spans(node: yaml.ScalarNode, text: str) -> tuple[Span, ...]:
    """Where the letters of a scalar lie, in bytes, without quotes, white space and a block's `|`."""
    start, end = node.start_mark.index, node.end_mark.index
    if node.style in ("'", '"'):
        start, end = start + 1, end - 1
    elif node.style in ("|", ">"):
        start = min(end, text.index("\n", start) if "\n" in text[start:end] else end)
    return letters(text, start, end)


def letters(text: str, start: int, end: int) -> tuple[Span, ...]:
    """The runs without white space between two places of a text, in bytes of its UTF-8."""
    return tuple((len(text[:start + run.start()].encode()), len(run.group().encode()))
                 for run in re.finditer(r"[^ \t\r\n]+", text[start:end]))
