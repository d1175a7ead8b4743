"""Models to test with. What needs LiteRT's schema is made by EDGE_AUDIO_LITERT_PYTHON where this Python has none."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from model_https_server import Server, make_certificate, serve

from edge.model.classifier import Model, open_model
from edge.workshop.models.install import Installer

ROOT = Path(__file__).resolve().parents[2]
HAS_LITERT = importlib.util.find_spec("ai_edge_litert") is not None


def pytest_report_header() -> str:
    """Say which runtime the model tests use."""
    return f"model tests: runtime {os.environ.get('EDGE_AUDIO_TEST_RUNTIME', 'auto')}"


@pytest.fixture(scope="session")
def runtime() -> str:
    """The runtime to test: EDGE_AUDIO_TEST_RUNTIME (litert or tflite-runtime), else auto."""
    return os.environ.get("EDGE_AUDIO_TEST_RUNTIME", "auto")


@pytest.fixture(scope="session")
def on_tflite(runtime: str) -> bool:
    """Whether it is tflite-runtime that is tested."""
    return runtime == "tflite-runtime" or not HAS_LITERT


def with_litert(*arguments: object) -> None:
    """Run a Python that has LiteRT's schema; skip, saying so, where there is none."""
    python = sys.executable if HAS_LITERT else os.environ.get("EDGE_AUDIO_LITERT_PYTHON")
    if python is None:
        pytest.skip("EDGE_AUDIO_LITERT_PYTHON: no Python with LiteRT to split and make models with")
    environment = {key: value for key, value in os.environ.items() if key != "EDGE_AUDIO_TEST_RUNTIME"}
    subprocess.run([python, *map(str, arguments)], check=True, cwd=ROOT, timeout=120,
                   env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny TFLite classifiers (model_tiny.py)."""
    folder = tmp_path_factory.mktemp("tiny")
    with_litert(Path(__file__).with_name("model_tiny.py"), folder)
    return folder


@pytest.fixture(scope="session")
def yamnet_pack(yamnet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """YAMNet split and packed, by a Python with LiteRT."""
    folder = tmp_path_factory.mktemp("pack")
    with_litert("-c", "import sys; from pathlib import Path; from edge.workshop.models.install import Installer\n"
                "store = Installer(Path(sys.argv[2])); store.install(sys.argv[1])\n"
                "store.pack('yamnet', Path(sys.argv[3]))", yamnet_file, folder / "state", folder / "yamnet.tar")
    return folder / "yamnet.tar"


@pytest.fixture(scope="session")
def exposed(yamnet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """YAMNet as published, with its int8 bands, embedding and logits as further outputs."""
    file = tmp_path_factory.mktemp("exposed") / "exposed.tflite"
    with_litert("-c", "import sys; from pathlib import Path; from edge.workshop.models.split import expose\n"
                "Path(sys.argv[2]).write_bytes(expose(Path(sys.argv[1]).read_bytes(), sys.argv[1]))",
                yamnet_file, file)
    return file


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the starter's export, one row taught by hand, and the head it was made with (model_taught.py)."""
    folder = tmp_path_factory.mktemp("exports")
    with_litert(Path(__file__).with_name("model_taught.py"), folder)
    return folder


@pytest.fixture(scope="session")
def yamnet_exports(yamnet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the starter and of YAMNet."""
    folder = tmp_path_factory.mktemp("yamnet_exports")
    with_litert(Path(__file__).with_name("model_taught.py"), folder, yamnet)
    return folder


@pytest.fixture(scope="session")
def yamnet(yamnet_pack: Path, runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of YAMNet installed from its pack. Not to be written to."""
    return Installer(tmp_path_factory.mktemp("state"), runtime=runtime).install(yamnet_pack)


@pytest.fixture(scope="session")
def yamnet_model(yamnet: Path, runtime: str) -> Model:
    """YAMNet opened, all rows."""
    return open_model(yamnet, runtime=runtime)


@pytest.fixture
def store(tmp_path: Path, runtime: str) -> Installer:
    """An empty store under `tmp_path`/state."""
    return Installer(tmp_path / "state", runtime=runtime)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the loopback, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    """A running HTTPS server."""
    running, told = serve(certificate)
    yield told
    running.shutdown()
    running.server_close()
