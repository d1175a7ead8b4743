"""The files that the page consists of: small, whole, strict, and with all words in one of them."""

from __future__ import annotations

import re

import pytest

from edge.page.server import STATIC

FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.iterdir())}
SCRIPTS = [name for name in FILES if name.endswith(".js")]


def test_every_file_has_a_name_that_is_served_and_at_most_250_lines() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+[.](html|css|js|svg)", name) for name in FILES)
    assert all(len(text.splitlines()) <= 250 for text in FILES.values())


def test_all_of_it_is_small() -> None:
    assert sum(len(text.encode()) for text in FILES.values()) < 60_000


def test_what_a_file_names_is_there_and_nothing_lies_about() -> None:
    named = {"index.html"}
    for text in FILES.values():
        named |= set(re.findall(r'(?:from "[.]/|src="|href=")([a-z0-9-]+[.][a-z]+)"', text))
    assert named == set(FILES)


def test_all_addresses_are_relative_so_that_a_path_prefix_does() -> None:
    for name, text in FILES.items():
        text = text.replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|=\"/|fetch\(\"/|[\"`]/api", text), name


def test_nothing_is_inline() -> None:
    """The Content-Security-Policy forbids such scripts and styles; a browser would leave them out in silence."""
    page = FILES["index.html"]
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    for name in SCRIPTS:
        assert not re.search(r"innerHTML|insertAdjacentHTML|\beval\(|new Function|setAttribute\(\"style", FILES[name]), name


def test_every_word_is_in_one_file() -> None:
    page = FILES["index.html"]
    keys = set(re.findall(r'data-(?:word|label)="(\w+)"', page))
    keys |= {key for name in SCRIPTS for key in re.findall(r"\bW[.](\w+)", FILES[name])}
    known = set(re.findall(r"(?:^|[{,;(]|, )\s*(\w+):", FILES["words.js"], re.MULTILINE))
    assert keys <= known, keys - known
    shown = re.sub(r"<noscript>.*</noscript>|<title>.*</title>", "", page)
    assert set(re.findall(r">([^<>\s][^<>]*)<", shown)) <= {"edge-audio", "‹", "›"}


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "words.js"])
def test_no_sentence_stands_outside_the_file_of_words(name: str) -> None:
    code = "\n".join(line.partition("//")[0] for line in FILES[name].splitlines())
    assert not re.findall(r"[\"'`][A-Z][a-z]+(?: [a-z]+)+[^\"'`]*[\"'`]", code)
