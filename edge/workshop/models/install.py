"""What changes the models of this board: install, verify, pack, remove."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from pathlib import Path

from edge.errors import ModelError
from edge.model.embedded import embedded_folder
from edge.model.manifest import NAME, file_sha256
from edge.model.manifest_file import load_manifest
from edge.model.placing import NEW, changing, disk_error, drop, put, replacing
from edge.model.store import ModelStore, model_folders
from edge.workshop.models import download
from edge.workshop.models.build import build
from edge.workshop.models.download import Progress
from edge.workshop.models.known import KNOWN, known_as
from edge.workshop.models.pack import write_pack
from edge.workshop.models.trial import try_directory


class Installer(ModelStore):
    """The store, for those who may change it."""

    def __init__(self, state_dir: Path, *, runtime: str = "auto", delegate: str = "") -> None:
        """state_dir: holds `models/` (made when needed). runtime, delegate: try what is installed."""
        super().__init__(state_dir)
        self._trial = {"runtime": runtime, "delegate": delegate}

    def verify(self, name: str) -> str:
        """Check every digest, open the model and run it; its description. Raises ModelError."""
        return try_directory(self.find(name), **self._trial)

    def remove(self, name: str) -> None:
        """Remove an installed model. Raises ModelError for one that came with the program."""
        with changing(self._models):
            directory = self.find(name)
            if self.known()[name][1]:
                raise ModelError(f"model {name}", found="one that comes with the program", wanted="an installed one")
            drop(directory)

    def pack(self, name: str, output: Path) -> None:
        """Write a model as one archive that `install` takes on another board.

        output: a new file, a regular one to replace, or a link to either. Raises ModelError.
        """
        with replacing(output) as temporary:
            directory = self.find(name)
            manifest = load_manifest(directory)
            for spec in manifest.files:
                spec.check(directory)
            write_pack(directory, manifest, temporary)

    def install(self, source: str | Path, *, name: str | None = None, sha256: str | None = None,
                labels: Path | None = None, progress: Progress | None = None,
                context: ssl.SSLContext | None = None) -> Path:
        """Install a published TFLite file or an archive; its directory.

        source: a path, an https:// or file:// address, or the name of a KNOWN file, which is fetched from where it was
        published.
        name: to call it; None: the known name of a published file, an archive's own, else from the file's name. A
        model that is installed under that name is replaced, when the new one is complete and has run; one that came
        with the program is not. sha256: what the file must have. labels: text file, one a line, for a TFLite file
        that has none inside. Raises ModelError, and leaves nothing behind then.
        """
        thing = str(source)
        if name is not None:
            self._check_name(name)
        known = None if Path(source).is_file() else known_as(thing)
        with changing(self._models):
            if known is None and not download.is_url(thing):
                return self._install(Path(source), thing, name, sha256, labels)
            folder = Path(tempfile.mkdtemp(prefix=NEW, dir=self._models))
            try:
                if known is not None:
                    thing, path = _fetch_known(known, folder, progress, context)
                else:
                    path = download.fetch(thing, folder, progress=progress, context=context)
                return self._install(path, thing, name, sha256, labels)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _install(self, path: Path, thing: str, name: str | None, sha256: str | None, labels: Path | None) -> Path:
        _check_file(path, thing, sha256)
        new = Path(tempfile.mkdtemp(prefix=NEW, dir=self._models))
        try:
            manifest = build(path, new, thing=thing, name=name, labels=labels, **self._trial)
            self._check_name(manifest.name)
            new.chmod(0o755)
            return put(new, self._models, manifest.name)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ModelError("model name", found=repr(name), wanted="letters, digits, '-', '_' and '.', no '.' first")
        if name in model_folders(embedded_folder()):
            raise ModelError("model name", found=f"{name}, which comes with the program", wanted="another (--name)")


def _fetch_known(digest: str, folder: Path, progress: Progress | None, context: ssl.SSLContext | None) -> tuple[str, Path]:
    """Fetch the KNOWN file of this digest: the address that gave it, and its path. Raises ModelError where none did."""
    known, tried = KNOWN[digest], []
    for address in known.addresses:
        try:
            path = download.fetch(address, folder, progress=progress, context=context, pauses=(1.0,))
            _check_file(path, address, digest)
            return address, path
        except ModelError as error:
            tried.append(f"{error.thing}: {error.found}")
    raise ModelError(f"model {known.name}", found=f"nowhere to have it from ({'; '.join(tried)})",
                     wanted=f"a network; or download it elsewhere, from there or from {known.page}, and then: "
                     "edge-audio model install FILE")


def _check_file(path: Path, thing: str, sha256: str | None) -> None:
    try:
        size = path.stat().st_size
        digest = file_sha256(path) if sha256 is not None and size <= download.LIMIT else None
        if not path.is_file():
            raise ModelError(thing, found="no plain file", wanted="a TFLite model or an archive")
    except OSError as error:
        raise disk_error(Path(thing), error, "a file that can be read") from error
    if size > download.LIMIT:
        raise ModelError(thing, found=f"{size} bytes", wanted=f"{download.LIMIT} at most")
    if sha256 is not None and digest != sha256.strip().lower():
        raise ModelError(thing, found=f"sha256 {digest}", wanted=sha256)
