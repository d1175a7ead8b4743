"""The models of this board: those that came with the program, and those installed under the state directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError, nearest
from edge.model.embedded import embedded_folder
from edge.model.impulse import IMPULSE
from edge.model.manifest import NAME, Manifest
from edge.model.manifest_file import MANIFEST, load_manifest
from edge.model.placing import OLD, disk_error


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

    def __init__(self, state_dir: Path) -> None:
        """state_dir: holds `models/`."""
        self._models = state_dir / "models"

    def list(self) -> list[Found]:
        """Every model, by name; a broken one with its problem."""
        return [_found(name, directory, embedded) for name, (directory, embedded) in sorted(self.known().items())]

    def find(self, name: str) -> Path:
        """The directory of a model. Raises ModelError that names the nearest known one."""
        known = self.known()
        if name not in known:
            wanted = f"one of {', '.join(sorted(known))}" if known else "an installed model"
            wanted += "".join(f"; nearest is {near}" for near in nearest(name, known))
            if name == "yamnet":
                wanted += "; edge-audio model install yamnet fetches it"
            raise ModelError("model", found=repr(name), wanted=wanted)
        return known[name][0]

    def show(self, name: str) -> Manifest:
        """A model's manifest. Raises ModelError."""
        return load_manifest(self.find(name))

    def known(self) -> dict[str, tuple[Path, bool]]:
        """The directory of every model by its name, and whether it came with the program. Raises ModelError."""
        known = {name: (directory, True) for name, directory in model_folders(embedded_folder()).items() if name != IMPULSE}
        installed = model_folders(self._models)
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


def model_folders(parent: Path) -> dict[str, Path]:
    """The folders with a manifest inside `parent`, by name; none where it is not there. Raises ModelError."""
    try:
        return {path.name: path for path in parent.iterdir() if (path / MANIFEST).is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise disk_error(parent, error, "a state directory that can be read (--state-dir)") from error
