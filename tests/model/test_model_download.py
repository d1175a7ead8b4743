"""Downloads against a real HTTPS server that cuts, changes and refuses."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from model_https_server import Server

from edge.errors import ModelError
from edge.workshop.models.download import PAUSES_SECONDS, fetch

pytestmark = pytest.mark.big

CONTENT = np.random.default_rng(7).integers(0, 256, 700_000, dtype=np.uint8).tobytes()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses made so far, in seconds; none is waited for."""
    return []


@pytest.fixture
def get(server: Server, tmp_path: Path, pauses: list[float]) -> Callable[[], bytes]:
    """Fetch the server's file; its content."""
    server.behaviour.content = CONTENT

    def get() -> bytes:
        return fetch(server.url, tmp_path / "downloads", context=server.context, sleep=pauses.append).read_bytes()
    return get


def test_a_file_arrives_whole_and_nothing_is_left_beside_it(get: Callable[[], bytes], tmp_path: Path) -> None:
    assert get() == CONTENT
    assert len(list((tmp_path / "downloads").iterdir())) == 1


def test_a_download_that_is_cut_is_fetched_anew(get: Callable[[], bytes], server: Server, pauses: list[float],
                                                tmp_path: Path) -> None:
    server.behaviour.cuts = [300_000, 200_000]
    assert get() == CONTENT
    assert pauses == list(PAUSES_SECONDS[:2]) and len(list((tmp_path / "downloads").iterdir())) == 1


def test_a_file_that_changed_meanwhile_is_the_new_one(server: Server, tmp_path: Path) -> None:
    server.behaviour.content, server.behaviour.cuts = bytes(len(CONTENT) + 9), [300_000]

    def change(seconds: float) -> None:
        server.behaviour.content = CONTENT

    path = fetch(server.url, tmp_path / "downloads", context=server.context, sleep=change)
    assert path.read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(get: Callable[[], bytes], server: Server, pauses: list[float]) -> None:
    server.behaviour.statuses = [503, 429, 500]
    assert get() == CONTENT
    assert pauses == list(PAUSES_SECONDS[:3])


def test_a_server_that_never_sends_is_given_up_with_the_last_reason(get: Callable[[], bytes], server: Server,
                                                                    pauses: list[float]) -> None:
    server.behaviour.statuses = [503] * 20
    with pytest.raises(ModelError, match="HTTP 503 Service Unavailable, 6 times; wanted the whole file"):
        get()
    assert len(server.behaviour.asked) == 6


def test_a_server_that_is_not_there_is_named(tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(ModelError, match=r"https://127\.0\.0\.1:1/x: found .*refused"):
        fetch("https://127.0.0.1:1/x", tmp_path, sleep=pauses.append)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_the_server_refuses_is_not_asked_again(get: Callable[[], bytes], server: Server, status: int) -> None:
    server.behaviour.statuses = [status]
    with pytest.raises(ModelError, match=f"found HTTP {status} "):
        get()
    assert len(server.behaviour.asked) == 1


def test_progress_is_told_from_nothing_to_all(get: Callable[[], bytes], server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    fetch(server.url, tmp_path / "downloads", context=server.context, progress=lambda *each: told.append(each))
    assert told[0] == (0, len(CONTENT)) and told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_length_that_is_not_told_is_unknown(get: Callable[[], bytes], server: Server, tmp_path: Path) -> None:
    server.behaviour.length = False
    told: list[int | None] = []
    path = fetch(server.url, tmp_path / "downloads", context=server.context, progress=lambda _, all: told.append(all))
    assert path.read_bytes() == CONTENT and set(told) == {None}


def test_a_server_that_is_not_trusted_is_refused_at_once(server: Server, tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(ModelError, match="certificate: self-signed"):
        fetch(server.url, tmp_path / "downloads", context=ssl.create_default_context(), sleep=pauses.append)
    assert pauses == [] and server.behaviour.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/x.tflite", "ftp://127.0.0.1/x", "data://text,x"])
def test_only_https_and_file_are_taken(url: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="wanted https:// or file://"):
        fetch(url, tmp_path)


def test_a_redirect_may_not_leave_https(server: Server, tmp_path: Path) -> None:
    server.behaviour.location = "http://127.0.0.1/elsewhere"
    with pytest.raises(ModelError, match="found a redirect to http://127"):
        fetch(server.url, tmp_path, context=server.context)


def test_a_file_address_is_the_file_itself(tmp_path: Path) -> None:
    file = tmp_path / "a model.tflite"
    file.write_bytes(b"x")
    assert fetch(file.as_uri(), tmp_path / "downloads") == file
    assert not (tmp_path / "downloads").exists()
    with pytest.raises(ModelError, match="found a file on elsewhere"):
        fetch("file://elsewhere/x", tmp_path)


def test_a_download_folder_that_cannot_be_made_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "downloads").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match=r"downloads: found .*; wanted room to download to"):
        fetch(server.url, tmp_path / "downloads", context=server.context)


@pytest.mark.parametrize(("url", "found"), [
    ("https://", "an address without a host; wanted https://host/file"),
    ("https:///x.tflite", "an address without a host"),
    ("https://:443/x", "an address without a host"), ("https://[", "no address")])
def test_an_address_without_a_host_is_said(url: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"found {found}"):
        fetch(url, tmp_path / "downloads")
