"""The order of versions is Debian's own."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.cli.updating.versions import FORM, Version
from edge.errors import UpdateError

TEXTS = st.from_regex(r"[0-2][0-2ab.+~]{0,5}(-[0-2a~.+]{1,3})?", fullmatch=True)


@pytest.mark.parametrize(("lower", "higher"), [
    ("1.2", "1.10"), ("1.2~rc1", "1.2"), ("1.2", "1.2.0"), ("1.2", "1.2a"), ("1.2", "1.2+1"), ("1.2-1", "1.2-2"),
    ("0.1.0+20261201", "0.1.0+20261202"), ("1.2~~", "1.2~"), ("1.2.9", "1.3~rc1"), ("09", "10")])
def test_the_order(lower: str, higher: str) -> None:
    assert Version(lower) < Version(higher) and Version(higher) > Version(lower) and Version(lower) != Version(higher)


def test_different_texts_may_be_equal() -> None:
    assert Version("1.02") == Version("1.2") == Version("1.2-0") and len({Version("1.02"), Version("1.2")}) == 1
    assert str(Version("1.02")) == "1.02"


@pytest.mark.parametrize("text", ["", "new", "v1.2", "1:2", "1.2-", "1 2", "1.2\n", "1-2-3", "1.²", "1" * 65])
def test_what_is_no_version_is_an_error(text: str) -> None:
    with pytest.raises(UpdateError, match=r"here: found the version .*; wanted a version such as 1\.2\.0"):
        Version(text, of="here")


@pytest.mark.big
@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg: no Debian")
@settings(max_examples=60)
@given(TEXTS, TEXTS)
def test_dpkg_agrees(one: str, other: str) -> None:
    assert FORM.fullmatch(one)
    first, second = Version(one), Version(other)
    for relation, holds in (("lt", first < second), ("eq", first == second), ("gt", first > second)):
        done = subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False)
        assert (done.returncode == 0) == holds, f"{one} {relation} {other}"
