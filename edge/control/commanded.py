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
from edge.model.json_table import Table
from edge.model.placing import writing
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
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

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
            values = json.loads(file.read(_MOST_BYTES))
        if not isinstance(values, dict):
            raise ModelError(str(path), found="no table", wanted="what was commanded")
        table = Table(str(path), "", values)
        if table.integer("schema") != SCHEMA:
            raise table.wrong("schema", str(table.integer("schema")), str(SCHEMA))
        by_model = table.table("thresholds")
        thresholds = {}
        for model in by_model.values:
            one = by_model.table(model)
            thresholds[model] = {target: one.finite(target, low=0.0, high=1.0) for target in one.values}
        return Commanded(table.flag("muted", default=False), thresholds).allowed(allow)
    except FileNotFoundError:
        return Commanded()
    except (OSError, ValueError, RecursionError) as error:
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
