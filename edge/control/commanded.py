"""What was commanded and holds on after a restart: that the device is muted, and thresholds. One small file.

    <state>/commanded.json    {"schema": 1, "muted": false, "thresholds": {"starter": {"hand_clap": 0.9}}}
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import ModelError, SinkError
from edge.model.placing import writing
from edge.model.table import json_table
from edge.state import private_folder

LOG = logging.getLogger(__name__)

FILE = "commanded.json"
SCHEMA = 1
_MOST_BYTES = 1_000_000
"""A longer file is none of ours."""


@dataclass(frozen=True, slots=True)
class Commanded:
    """muted: until it is unmuted. thresholds: by model and target."""

    muted: bool = False
    thresholds: dict[str, dict[str, float]] = field(default_factory=dict)

    def of(self, model: str) -> Mapping[str, float]:
        """The thresholds of one model's targets."""
        return self.thresholds.get(model, {})

    def with_threshold(self, model: str, target: str, threshold: float | None) -> Commanded:
        """The same with one threshold put in; None: taken out."""
        mine = {name: value for name, value in self.of(model).items() if name != target}
        if threshold is not None:
            mine[target] = threshold
        return Commanded(self.muted, {**self.thresholds, model: mine})

    def allowed(self, allow: Collection[str]) -> Commanded:
        """What of it holds: only as long as the settings allow to command it, so that the owner can always end it."""
        return Commanded(self.muted and "mute" in allow, self.thresholds if "threshold" in allow else {})


def load_commanded(state_dir: Path, allow: Collection[str]) -> Commanded:
    """What holds of what was commanded; a file that cannot be read is said in the log and counts as none."""
    path = state_dir / FILE
    try:
        with path.open("rb") as file:
            table = json_table(file.read(_MOST_BYTES), str(path), schema=SCHEMA, wanted="what was commanded")
        commanded = table.read(Commanded)
        for model, thresholds in commanded.thresholds.items():
            for target, threshold in thresholds.items():
                if not 0.0 <= threshold <= 1.0:
                    raise table.wrong(f"thresholds.{model}.{target}", str(threshold), "0 to 1")
        return commanded.allowed(allow)
    except FileNotFoundError:
        return Commanded()
    except (OSError, ModelError) as error:
        LOG.error("%s cannot be read (%s); nothing that was commanded before holds", path, error)
        return Commanded()


def save_commanded(state_dir: Path, commanded: Commanded) -> None:
    """Write it, whole or not at all, and have it on the disk. Raises SinkError."""
    path = state_dir / FILE
    thresholds = {model: dict(mine) for model, mine in commanded.thresholds.items() if mine}
    text = json.dumps({"schema": SCHEMA, "muted": commanded.muted, "thresholds": thresholds})
    try:
        private_folder(path.parent)
        with writing(path) as new:
            new.touch(mode=0o600)
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(str(path), found=error.strerror or str(error),
                        wanted="a state directory that can be written") from error
