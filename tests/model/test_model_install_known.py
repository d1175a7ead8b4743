"""`edge-audio model install yamnet`: a published file by its name alone, from where it was published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from model_https_server import Server

from edge.errors import ModelError
from edge.model.manifest import file_sha256
from edge.workshop.models.install import Installer
from edge.workshop.models.known import KNOWN, YAMNET_SHA256

Publish = Callable[..., str]


@pytest.fixture
def publish(tiny: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Have a tiny model be known as `ears`, and published at these addresses; its digest."""
    file = tiny / "float.tflite"
    server.behaviour.content = file.read_bytes()

    def publish(*addresses: str) -> str:
        known = replace(KNOWN[YAMNET_SHA256], name="ears", addresses=addresses, targets=(), page="https://example.org/ears")
        monkeypatch.setitem(KNOWN, file_sha256(file), known)
        return file_sha256(file)

    return publish


def as_published(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny model has no layout to split: have it taken whole, though it is known."""
    from edge.workshop.models import build
    monkeypatch.setattr(build, "_cut", lambda *_, known: None)


@pytest.mark.big
def test_a_known_name_is_fetched_from_the_first_address_that_gives_the_file(
        publish: Publish, store: Installer, server: Server, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_published(tiny, monkeypatch)
    server.behaviour.statuses = [404, 200]
    publish(server.url, f"{server.url}?second", f"{server.url}?third")
    told: list[int] = []
    directory = store.install("ears", context=server.context, progress=lambda done, _: told.append(done))
    assert directory.name == "ears" and store.show("ears").source["sha256"] in KNOWN
    assert len(server.behaviour.asked) == 2 and told[-1] == len(server.behaviour.content)
    assert [path.name for path in directory.parent.iterdir()] == ["ears"]


@pytest.mark.big
def test_an_address_that_gives_another_file_is_passed_over(
        publish: Publish, store: Installer, server: Server, tiny: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    as_published(tiny, monkeypatch)
    other = tmp_path / "other.tflite"
    other.write_bytes((tiny / "int16.tflite").read_bytes())
    publish(other.as_uri(), server.url)
    assert store.install("ears", context=server.context).name == "ears"
    assert len(server.behaviour.asked) == 1


def test_without_a_network_it_says_where_a_person_finds_the_file(publish: Publish, store: Installer, tmp_path: Path) -> None:
    publish("https://127.0.0.1:1/ears.tflite", "https://127.0.0.1:1/again.tflite")
    with pytest.raises(ModelError) as caught:
        store.install("ears")
    told = str(caught.value)
    assert told.startswith("model ears: found nowhere to have it from (https://127.0.0.1:1/ears.tflite: ")
    assert "https://127.0.0.1:1/again.tflite: " in told
    assert told.endswith("from there or from https://example.org/ears, and then: edge-audio model install FILE")
    assert not list((tmp_path / "state" / "models").iterdir())


@pytest.mark.big
def test_a_file_of_that_name_is_installed_itself(publish: Publish, store: Installer, tiny: Path, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    publish("https://127.0.0.1:1/ears.tflite")
    monkeypatch.chdir(tmp_path)
    Path("ears").write_bytes((tiny / "int16.tflite").read_bytes())
    assert store.install("ears", name="mine").name == "mine"


def test_yamnet_can_be_had_by_name() -> None:
    known = KNOWN[YAMNET_SHA256]
    assert known.name == "yamnet" and len(known.addresses) >= 2
    assert all(address.startswith("https://") and address.endswith(".tflite") for address in known.addresses)
