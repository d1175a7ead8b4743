"""What several test modules share: where the recordings are, and the way to skip without them."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a loaded machine is no finding

# A shell's background job ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    """The folder of recordings and of YAMNet as published: EDGE_AUDIO_SHARED, else ../shared."""
    return Path(os.environ.get("EDGE_AUDIO_SHARED", ROOT.parent / "shared")).resolve()


BIG_FIXTURES = {"tiny", "yamnet_pack", "broker", "mosquitto", "start"}
"""Fixtures that start a broker or another process: who asks for one of these is big."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as big whoever asks for a big fixture."""
    for item in items:
        if BIG_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("big")


_small = ""
"""The test that runs, where it may start no process."""


def _started(event: str, arguments: tuple[object, ...]) -> None:
    if _small and event in ("subprocess.Popen", "os.posix_spawn", "os.fork"):
        raise AssertionError(f"{_small} starts a process and is not marked: pytest.mark.big")


sys.addaudithook(_started)  # stays: Python has no way to take one out


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keep the marks true: in `make test-fast` no test starts a process."""
    global _small
    _small = item.nodeid if "not big" in item.config.option.markexpr else ""
    try:
        return (yield)
    finally:
        _small = ""


@pytest.fixture(scope="session", autouse=True)
def _a_state_directory_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test does without a state directory goes to no owner's, and not to that of another worker."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_AUDIO_STATE", str(tmp_path_factory.mktemp("state-of-all")))
        yield


@pytest.fixture(autouse=True)
def _signals_are_as_before() -> Iterator[None]:
    """`run` in this process ignores or handles signals, which the processes of later tests would inherit."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _messages_end_with_the_test() -> Iterator[None]:
    """Commands send messages to standard error, which pytest closes after each test: the next one must not write there."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder. Where it is missing the test is skipped, saying so; in CI it fails."""
    folder = shared_folder()
    if not (folder / "data" / "manifest.csv").is_file():
        (pytest.fail if os.environ.get("EDGE_AUDIO_REQUIRE_SHARED") else pytest.skip)(
            f"EDGE_AUDIO_SHARED: no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def yamnet_file(shared: Path) -> Path:
    """YAMNet as published, one whole file."""
    return shared / "models" / "yamnet_classification.tflite"
