"""External delegates for tests: real libraries, which a runtime loads as it loads libedgetpu; compiled where they serve."""

from __future__ import annotations

import shutil
import subprocess
from enum import StrEnum, auto
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("external_delegate.c")


class Claims(StrEnum):
    """What one does; external_delegate.c says more."""

    NOTHING = auto()
    COMPILED = auto()
    ALL = auto()
    NO_DEVICE = auto()
    UNANSWERED = auto()
    PULLED_OUT = auto()
    STUCK = auto()


def delegate_library(folder: Path, claims: Claims) -> Path:
    """Compile one into `folder`; its path. The test is skipped where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to build a delegate with")
    library = folder / f"lib{claims}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", f"-DCLAIMS={claims.name}", "-o", library,
                    SOURCE, "-lm"], check=True)
    return library
