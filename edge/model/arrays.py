"""NumPy archives (.npz), read with every fault of the file told as one error."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ModelError

_FAULTS = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, SyntaxError,
           tokenize.TokenError, zipfile.BadZipFile, zlib.error, MemoryError)
"""What NumPy (which tokenizes an array's header, and makes room for as many values as it says) and the zip and deflate
modules raise where bytes are missing or are not as they were written."""
MOST_BYTES = 200 << 20
"""Of an archive's arrays together, unpacked: the largest of ours takes 5 MB. One megabyte, packed, can hold a thousand."""


class _Arrays(Mapping[str, Any]):
    """The archive's arrays by name. NumPy gives the bytes of a part whose first bytes are no array's."""

    def __init__(self, archive: Any) -> None:
        self._archive = archive

    def __getitem__(self, name: str) -> Any:
        if not isinstance(found := self._archive[name], np.ndarray):
            raise ValueError(f"{name} is no array")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._archive)

    def __len__(self) -> int:
        return len(self._archive)


@contextmanager
def reading_arrays(path: Path, *, found: str, wanted: str) -> Iterator[Any]:
    """Give the block the arrays of an archive, by name; the file is closed when the block ends.

    found, wanted: for errors. Raises ModelError for a file that cannot be read or is damaged, and for whatever the
    block finds missing or of another kind in it. A ModelError of the block goes through as it is.
    """
    try:
        # Opened here: np.load leaves a file of its own open when the archive is broken.
        with path.open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise ModelError(str(path), found="a single array", wanted=wanted)
            with arrays:
                if (size := sum(part.file_size for part in arrays.zip.infolist())) > MOST_BYTES:
                    raise ModelError(str(path), found=f"{size} bytes of arrays", wanted=f"{wanted}, of {MOST_BYTES} at most")
                yield _Arrays(arrays)
    except ModelError:
        raise
    except _FAULTS as error:
        raise ModelError(str(path), found=f"{found} ({error})", wanted=wanted) from error
