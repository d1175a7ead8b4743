"""The models of this board: those that came with the program, and those installed under the state directory."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import ModelError
from edge.model.embedded import embedded_folder
from edge.model.manifest import NAME, Manifest, file_sha256
from edge.model.manifest_file import MANIFEST, load_manifest
from edge.model.placing import NEW, OLD, changing, disk_error, drop, put

if TYPE_CHECKING:
    import ssl

    from edge.model.download import Progress

# The listener only finds models: what installs them (ssl, urllib, tarfile) is imported by the methods that need it.


@dataclass(frozen=True, slots=True)
class Found:
    """A model in the store."""

    name: str
    directory: Path
    embedded: bool
    """It came with the program, and cannot be removed."""
    manifest: Manifest | None
    problem: str = ""
    """Why it cannot be used: its manifest, or a file that has not the size that the manifest names."""


class ModelStore:
    """Models by name. What is installed under a name hides what came with the program under it."""

    def __init__(self, state_dir: Path, *, runtime: str = "auto") -> None:
        """state_dir: holds `models/` (made when needed) and `downloads/`. runtime: tries what is installed."""
        self._models, self._downloads = state_dir / "models", state_dir / "downloads"
        self._runtime = runtime

    def list(self) -> list[Found]:
        """Every model, by name; a broken one with its problem."""
        return [_found(name, directory, embedded) for name, (directory, embedded) in sorted(self._known().items())]

    def find(self, name: str) -> Path:
        """The directory of a model. Raises ModelError that names the nearest known one."""
        known = self._known()
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            wanted = f"one of {', '.join(sorted(known))}" if known else "an installed model"
            wanted += f"; nearest is {near[0]}" if near else ""
            raise ModelError("model", found=repr(name), wanted=wanted)
        return known[name][0]

    def show(self, name: str) -> Manifest:
        """A model's manifest. Raises ModelError."""
        return load_manifest(self.find(name))

    def verify(self, name: str) -> str:
        """Check every digest, open the model and run it; its description. Raises ModelError."""
        from edge.model.install import try_directory

        return try_directory(self.find(name), runtime=self._runtime)

    def remove(self, name: str) -> None:
        """Remove an installed model. Raises ModelError for one that came with the program."""
        with changing(self._models):
            directory = self.find(name)
            if self._known()[name][1]:
                raise ModelError(f"model {name}", found="one that comes with the program", wanted="an installed one")
            drop(directory)

    def pack(self, name: str, output: Path) -> None:
        """Write a model as one archive that `install` takes on another board.

        output: a new file, a regular one to replace, or a link to either. Raises ModelError.
        """
        from edge.model.output_file import replacing
        from edge.model.pack import write_pack

        with replacing(output) as temporary:
            directory = self.find(name)
            manifest = load_manifest(directory)
            for spec in manifest.files:
                spec.check(directory)
            write_pack(directory, manifest, temporary)

    def install(self, source: str | Path, *, name: str | None = None, sha256: str | None = None,
                labels: Path | None = None, progress: Progress | None = None,
                context: ssl.SSLContext | None = None) -> Path:
        """Install a published TFLite file or an archive, from a path or an https:// or file:// address; its directory.

        name: to call it; None: the known name of a published file, an archive's own, else from the file's name. A
        model that is installed under that name is replaced, when the new one is complete and has run; one that came
        with the program is not. sha256: what the file must have. labels: text file, one a line, for a TFLite file
        that has none inside. Raises ModelError, and leaves nothing behind but a part of a download to go on with.
        """
        from edge.model import download

        thing = str(source)
        if name is not None:
            self._check_name(name)
        with changing(self._models):
            if not download.is_url(thing):
                return self._install(Path(source), thing, name, sha256, labels)
            path = download.fetch(thing, self._downloads, progress=progress, context=context)
            try:
                return self._install(path, thing, name, sha256, labels)
            finally:
                if path.parent == self._downloads:
                    download.forget(path)

    def _install(self, path: Path, thing: str, name: str | None, sha256: str | None, labels: Path | None) -> Path:
        from edge.model.install import build

        _check_file(path, thing, sha256)
        new = Path(tempfile.mkdtemp(prefix=NEW, dir=self._models))
        try:
            manifest = build(path, new, thing=thing, name=name, labels=labels, runtime=self._runtime,
                             embedded=embedded_folder())
            self._check_name(manifest.name)
            new.chmod(0o755)
            return put(new, self._models, manifest.name)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ModelError("model name", found=repr(name), wanted="letters, digits, '-', '_' and '.', no '.' first")
        if name in _folders(embedded_folder()):
            raise ModelError("model name", found=f"{name}, which comes with the program", wanted="another (--name)")

    def _known(self) -> dict[str, tuple[Path, bool]]:
        """Name to directory and whether it is embedded."""
        known = {name: (directory, True) for name, directory in _folders(embedded_folder()).items()}
        installed = _folders(self._models)
        known |= {name.removeprefix(OLD): (directory, False) for name, directory in installed.items()
                  if name.startswith(OLD)}
        known |= {name: (directory, False) for name, directory in installed.items() if NAME.fullmatch(name)}
        return known


def _found(name: str, directory: Path, embedded: bool) -> Found:
    manifest = None
    try:
        manifest = load_manifest(directory)
        for spec in manifest.files:
            spec.check_size(directory)
    except ModelError as error:
        return Found(name, directory, embedded, manifest, str(error))
    return Found(name, directory, embedded, manifest)


def _folders(parent: Path) -> dict[str, Path]:
    try:
        return {path.name: path for path in parent.iterdir() if (path / MANIFEST).is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise disk_error(parent, error, "a state directory that can be read (--state-dir)") from error


def _check_file(path: Path, thing: str, sha256: str | None) -> None:
    from edge.model.download import LIMIT

    try:
        size = path.stat().st_size
        digest = file_sha256(path) if sha256 is not None and size <= LIMIT else None
        if not path.is_file():
            raise ModelError(thing, found="no plain file", wanted="a TFLite model or an archive")
    except OSError as error:
        raise disk_error(Path(thing), error, "a file that can be read") from error
    if size > LIMIT:
        raise ModelError(thing, found=f"{size} bytes", wanted=f"{LIMIT} at most")
    if sha256 is not None and digest != sha256.strip().lower():
        raise ModelError(thing, found=f"sha256 {digest}", wanted=sha256)
