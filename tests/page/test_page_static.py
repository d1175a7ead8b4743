"""The files that the page consists of: small, whole, strict, and with all words in one of them."""

from __future__ import annotations

import gzip
import re

import pytest

from edge.page.files import TYPES
from edge.page.server import STATIC
from tests.page.browser import Browser

FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(STATIC.iterdir())}
CHROMIUM = "gzip, deflate, br, zstd"
"""What a browser accepts."""
SCRIPTS = [name for name in FILES if name.endswith(".js")]


def test_every_file_has_a_name_that_is_served_and_at_most_250_lines() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+[.](html|css|js|svg)", name) for name in FILES)
    assert all(len(text.splitlines()) <= 250 for text in FILES.values())


def test_all_that_travels_at_a_first_visit_is_small(browser: Browser) -> None:
    answers = {name: browser.ask(f"/{name}", Accept_Encoding=CHROMIUM) for name in FILES}
    assert all(answer.status == 200 for answer in answers.values())
    assert sum(len(answer.body) for answer in answers.values()) < 60_000
    for name, answer in answers.items():
        assert gzip.decompress(answer.body).decode("utf-8") == FILES[name], name
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")


@pytest.mark.parametrize("accepts", ["", "identity", "br;q=1.0", "gzip;q=0, *", "gzip;q=no", "*;q=0"])
def test_who_does_not_take_gzip_gets_a_file_as_it_is(browser: Browser, accepts: str) -> None:
    answer = browser.ask("/page.js", Accept_Encoding=accepts)
    assert answer.body.decode("utf-8") == FILES["page.js"] and "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("accepts", [CHROMIUM, "GZIP", "*", "br, gzip;q=0.5", "*;q=0, gzip"])
def test_who_takes_gzip_gets_it(browser: Browser, accepts: str) -> None:
    assert browser.ask("/", Accept_Encoding=accepts).headers["Content-Encoding"] == "gzip"


def test_what_a_browser_has_does_not_travel_again(browser: Browser) -> None:
    tags = [browser.ask("/words.js", Accept_Encoding=accepts).headers["ETag"] for accepts in ("gzip", "identity")]
    assert len(set(tags)) == 2, "the two forms are two"
    for tag in (tags[0], f"W/{tags[0]}", f'"before", {tags[0]}', "*"):
        answer = browser.ask("/words.js", Accept_Encoding="gzip", If_None_Match=tag)
        assert (answer.status, answer.body, answer.headers["ETag"]) == (304, b"", tags[0])
        assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["Vary"] == "Accept-Encoding"
    for tag in (tags[1], '"before"', browser.ask("/dom.js", Accept_Encoding="gzip").headers["ETag"]):
        assert browser.ask("/words.js", Accept_Encoding="gzip", If_None_Match=tag).status == 200


def test_all_of_it_has_its_type(browser: Browser) -> None:
    for name in FILES:
        assert browser.ask(f"/{name}").headers["Content-Type"] == f"{TYPES['.' + name.rpartition('.')[2]]}; charset=utf-8"


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
