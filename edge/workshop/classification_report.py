"""A classification as a table, as CSV or as JSON lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import TextIO

from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification


class Printer:
    """Prints one classification after the other in one form."""

    def __init__(self, form: str, out: TextIO, *, top: int = 5, score_threshold: float = 0.0, allow: Sequence[str] = (),
                 deny: Sequence[str] = ()) -> None:
        self._form = form
        self._out = out
        self._choice = {"top": top, "score_threshold": score_threshold, "allow": allow, "deny": deny}
        self._head_printed = False

    def print(self, result: Classification) -> None:
        """Print one."""
        {"json": self._json, "csv": self._csv, "table": self._table}[self._form](result)

    def _json(self, result: Classification) -> None:
        print(json.dumps(result.as_dict(**self._choice), allow_nan=False), file=self._out)

    def _csv(self, result: Classification) -> None:
        """One row for each label shown of each patch, and one for each event."""
        writer = csv.writer(self._out, lineterminator="\n")
        if not self._head_printed:
            writer.writerow(["file", "kind", "start_seconds", "end_seconds", "name", "value"])
            self._head_printed = True
        patch_seconds = result.patch_samples / SAMPLE_RATE
        found = result.as_dict(**self._choice)
        for start, patch in zip(result.starts, found["patches"], strict=True):  # type: ignore[call-overload]
            for label, score in patch["scores"].items():
                writer.writerow([result.file, "score", f"{start:.3f}", f"{start + patch_seconds:.3f}", label, score])
        for event in result.events:
            writer.writerow([result.file, "event", f"{event.start / SAMPLE_RATE:.3f}",
                             f"{(event.end or event.start) / SAMPLE_RATE:.3f}", event.target,
                             round(event.probability, 4)])

    def _table(self, result: Classification) -> None:
        print(f"{result.file}  ({result.duration_seconds:.2f} s, {result.model} on {result.runtime}, "
              f"hop {result.hop_seconds:g} s)", file=self._out)
        for patch, start in enumerate(result.starts):
            best = result.best(patch, **self._choice)  # type: ignore[arg-type]
            shown = "  ".join(f"{label} {score:.2f}" for label, score in best.items())
            top = next(iter(best.values()), 0.0)
            print(f"  {start:7.2f} s  {'#' * round(top * 10):<10}  {shown}", file=self._out)
        if not result.events:
            print("  no event", file=self._out)
        for event in result.events:
            end = event.end or event.start
            print(f"  event  {event.target}  {event.start / SAMPLE_RATE:.2f} to {end / SAMPLE_RATE:.2f} s  "
                  f"probability {event.probability:.2f}", file=self._out)
        self._out.flush()
