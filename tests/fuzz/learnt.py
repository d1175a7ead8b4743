"""What was learnt: calibrations, what was taught, the room, heads. A start goes on with it, or says what is wrong."""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.control.current import serving_of
from edge.decision.calibration import probability_of
from edge.errors import ModelError, SettingsError
from edge.learn.bank import load_room, room_path, save_room
from edge.model.calibration import entry_problem
from edge.model.calibration_file import load_calibration, own_path
from edge.model.embedded import embedded_folder
from edge.model.foreseen import Foreseen, Tally
from edge.model.head import Head, load_head, save_head
from edge.model.impulse import load_impulse_manifest
from edge.model.judged import judged_in
from edge.model.look_offer import Stage
from edge.model.manifest_file import load_manifest
from edge.model.taught import Judgement, Taught, TaughtCorrection, TaughtSound
from edge.model.taught_file import read_taught, save_taught
from edge.model.taught_look import TaughtLook
from edge.settings import Settings
from tests.fuzz import mutation

SERVED_EVERY = 40
"""Files that can be read: so many to one with which an appliance begins to serve."""


class CalibrationFile:
    """<state>/calibration/starter.json."""

    allowed = (ModelError, SettingsError)

    def __init__(self, folder: Path) -> None:
        self._state, self._path = folder, own_path(folder, "starter")
        self._path.parent.mkdir(parents=True)
        self._manifest = load_manifest(embedded_folder() / "starter")
        self._good = 0

    def seeds(self) -> Sequence[bytes]:
        whole = json.loads((embedded_folder() / "starter" / "calibration-litert.json").read_text())
        names = sorted(whole["targets"])
        for entry in whole["targets"].values():
            for key in ("positives", "negatives"):
                if entry.get(key):
                    entry[key]["logits"] = entry[key]["logits"][:5]
        whole["proof"] = whole["proof"][:1]
        return [json.dumps(whole | {"targets": {name: whole["targets"][name] for name in some}}).encode()
                for some in (names[:1], names[1:3], [])]

    def try_one(self, data: bytes) -> None:
        self._path.write_bytes(data)
        calibration = load_calibration(self._path, self._manifest)
        assert calibration is not None
        for entry in calibration.targets.values():
            assert entry_problem(entry, entry.labels, entry.row_sha256, entry.network) == ""
            for logit in (-16.0, -0.5, 0.0, 0.5, 16.0):
                probability = probability_of(logit, entry.scale, entry.offset, entry.scale_below)
                assert 0.0 <= probability <= 1.0, f"a probability of {probability}"
        self._good += 1
        if self._good % SERVED_EVERY == 1:
            serving_of(Settings(), self._state).plan()

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return mutation.of_json(data, chance)


class TaughtFile:
    """<state>/taught/starter/000001.npz, as the appliance reads it, and as the page does."""

    allowed = (ModelError, SettingsError)

    def __init__(self, folder: Path) -> None:
        self._state, self._manifest = folder, load_manifest(embedded_folder() / "starter")
        self._looks = load_impulse_manifest(embedded_folder() / "impulse")
        self._path = save_taught(folder, Taught.nothing(self._manifest))
        columns = self._manifest.backbone.output.size if self._manifest.backbone is not None else 0
        self._head = Head(np.zeros((2, columns), np.float32), np.zeros(2, np.float32))
        self._good = 0

    def seeds(self) -> Sequence[bytes]:
        nothing = Taught.nothing(self._manifest)
        size, network = nothing.columns, self._looks.network.sha256
        cells = np.arange(size).astype(np.uint8).view(np.int8)
        tally = Tally((-1.5, 2.25), (0.5, -0.5), (1.0, 0.25), 1.0, 40.0, 2.5)
        kettle = TaughtSound("kettle", np.ones(size, np.float32), -0.5, 1.5, 0.25, 0.6, 0.3, True, np.tile(cells, (3, 1)),
                             np.arange(3, dtype=np.uint8), np.zeros(3, np.uint8), 2.0,
                             Foreseen(5, 6, 1.5, 4.0, ("door_slam",), tally=tally), "2026-11-22T12:00:00+00:00")
        columns = self._looks.network.output.size
        look = TaughtLook("my_clap", False, np.linspace(-1, 1, columns).astype(np.float32), -0.5, Stage(1.0, 0.25),
                          Stage(2.0, 0.0), 0.6, np.zeros((2, 2, columns), np.int8), np.zeros(2, np.uint8),
                          np.zeros(2, np.uint8), network, self._looks.look_version, 2.0,
                          Foreseen(4, 5, 1.0, 4.0, ("tap",), 2), "2026-11-29T18:00:00+00:00")
        judged = Judgement("event", "hand_clap", False, cells, "2026-11-22", (cells[::-1], cells), ("hand_clap",))
        beside = Judgement("other", "hand_clap", True, cells[:columns], "2026-11-29", (), ("hand_clap",), network, (1.5,))
        corrected = TaughtCorrection(np.ones((2, size), np.float32), np.array([0.0, -1.0], np.float32), ("hand_clap",))
        looked = TaughtCorrection(np.ones((2, columns), np.float32), np.zeros(2, np.float32), ("hand_clap",), network)
        lessons = [nothing, nothing.with_sound(kettle, "kettle"), nothing.with_sound(look, "my_clap"),
                   nothing.with_sound(replace(look, name="hand_clap", adds=True), "more claps"),
                   replace(nothing, judgements=(judged, beside)),
                   replace(nothing, corrections={"typing": corrected}, look_corrections={"hand_clap": looked}),
                   replace(nothing.with_sound(kettle, "all").with_sound(look, "all"), judgements=(judged, beside),
                           corrections={"typing": corrected}, look_corrections={"hand_clap": looked})]
        return [save_taught(self._state / f"seed{number}", lesson).read_bytes() for number, lesson in enumerate(lessons)]

    def try_one(self, data: bytes) -> None:
        self._path.write_bytes(data)
        try:
            judged_in(self._path)
        except ModelError:
            pass
        taught = read_taught(self._path)
        kept, problems = taught.fitting(self._manifest)
        assert kept is not None or problems or not taught.names
        if kept is not None:
            kept, _ = kept.fitting_looks(self._looks.network.sha256, self._looks.look_version,
                                         [target.name for target in self._looks.targets])
            extended = kept.extend(self._manifest)
            assert len(kept.extend_head(self._head).bias) == 2 + len(kept.sounds)
            assert len(extended.labels) == len(self._manifest.labels) + len(kept.sounds)
        self._good += 1
        if self._good % SERVED_EVERY == 1:
            serving_of(Settings(), self._state).plan()

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return mutation.of_archive(data, chance)


class Arrays:
    """The room's embeddings, and the head of a packed model: the first byte says which."""

    allowed = (ModelError,)
    rows, columns = 3, 5

    def __init__(self, folder: Path) -> None:
        self._state, self._manifest = folder, load_manifest(embedded_folder() / "starter")
        self._path, self._head = room_path(folder, "starter"), folder / "head.npz"
        columns = self._manifest.backbone.output.size if self._manifest.backbone is not None else 0
        save_room(folder, self._manifest, np.zeros((4, columns), np.float32), 240.0)

    def seeds(self) -> Sequence[bytes]:
        save_head(self._head, Head(np.ones((self.rows, self.columns), np.float32), np.zeros(self.rows, np.float32)))
        alone = io.BytesIO()
        np.save(alone, np.zeros(3))
        return [b"R" + self._path.read_bytes(), b"H" + self._head.read_bytes(), b"H" + alone.getvalue()]

    def try_one(self, data: bytes) -> None:
        if data[:1] == b"H":
            self._head.write_bytes(data[1:])
            head = load_head(self._head, rows=self.rows, columns=self.columns)
            assert np.isfinite(head.logits(np.ones(self.columns, np.float32))).all() or not np.abs(head.weights).max() < 1e30
            return
        self._path.write_bytes(data[1:])
        room = load_room(self._state, self._manifest)
        assert room is None or (len(room.embeddings) == len(room.names) == len(room.sources) and not math.isnan(room.hours))

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return data[:1] + mutation.of_archive(data[1:], chance)
