"""Files of words: settings, what was commanded, sequence numbers, lists that an owner names on the command line."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path

from edge.cli.updating import record
from edge.cli.updating.trial import Failure, Record, Trial
from edge.control.commanded import FILE as COMMANDED
from edge.control.commanded import load_commanded, save_commanded
from edge.errors import ModelError, SettingsError, SourceError, UpdateError
from edge.learn.classes import load_classes
from edge.learn.labelled_clips import find_clips
from edge.model.whole import parse_labels
from edge.page.password import PASSWORD, Password, load_password, set_password
from edge.page.sessions import FILE as SESSIONS
from edge.page.sessions import Sessions
from edge.settings import VERBS
from edge.settings_file import TABLES, keys, load_settings
from edge.sinks.journal.numbering import FILE as NUMBERS
from edge.sinks.journal.numbering import Numbering
from tests.fuzz import mutation
from tests.fuzz.engine import badly_said

ROOT = Path(__file__).resolve().parents[2]


class SettingsFile:
    """`--config FILE`, read and checked."""

    allowed = (SettingsError,)

    def __init__(self, folder: Path) -> None:
        self._path = folder / "edge-audio.toml"
        self._words = [*TABLES, *dict.fromkeys(key.name for kind in TABLES.values() for key, _, _ in keys(kind))]

    def seeds(self) -> Sequence[bytes]:
        files = [ROOT / "deploy" / "edge-audio.toml", *sorted((ROOT / "deploy" / "examples").glob("*.toml")),
                 ROOT / "deploy" / "image" / "boot" / "edge-audio.toml", ROOT / "deploy" / "patterns.toml"]
        whole = [file.read_bytes() for file in files]
        # What the file of all settings only tells of is in force here.
        told = b"\n".join(line.removeprefix(b"# ").removeprefix(b"#") if b" = " in line or b"[" in line[:4] else b""
                          for line in whole[0].split(b"\n"))
        return [*whole, told, *told.split(b"\n\n"), b""]

    def try_one(self, data: bytes) -> None:
        self._path.write_bytes(data)
        settings = load_settings(self._path)
        assert dataclasses.replace(settings) == settings  # each value compares: none is NaN

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return mutation.of_toml(data, chance, words=self._words)


class Commanded:
    """Small files of the state directory; whatever is in them, a start goes on, or says what is wrong."""

    allowed = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        set_password(folder, "open sesame", cost=2)
        Sessions(folder).begin("name")
        record.save(folder / "updates.json", Record({"A": "1"}, "A", Trial("B", "2", ("unit",), "x", True, 1),
                                                    Failure("B", "2", "why", "2026-11-30", True)))
        self._seeds = [(folder / name).read_bytes() for name in (PASSWORD, SESSIONS, "updates.json")]

    def seeds(self) -> Sequence[bytes]:
        return [b'{"schema": 1, "muted": true, "thresholds": {"starter": {"hand_clap": 0.9, "typing": 0.5}, "yamnet": {}}}',
                b'{"schema": 1}', b"00000000000000001000 00000000000000000007 file  \n",
                b"00000000000000001000 00000000000000000007 memory\n", b"", *self._seeds]

    def try_one(self, data: bytes) -> None:
        (self._folder / COMMANDED).write_bytes(data)
        commanded = load_commanded(self._folder, VERBS)
        save_commanded(self._folder, commanded)
        assert load_commanded(self._folder, VERBS) == commanded or not all(commanded.thresholds.values())
        (self._folder / NUMBERS).write_bytes(data)
        numbers = Numbering(self._folder / NUMBERS)
        try:
            assert numbers.open()
            numbers.begin(5, whole=True)
            lost = numbers.lost(5, whole=False)
            assert lost is None or 0 < lost[0] <= lost[1]
            first = numbers.next()
            numbers.keep_up(first, in_memory=False)
        finally:
            numbers.close()
        assert 5 < first < 2**63  # SQLite's whole numbers end there
        self._of_the_page(data)

    def _of_the_page(self, data: bytes) -> None:
        """The page's, and the record of updates."""
        for name in (PASSWORD, SESSIONS, "updates.json"):
            (self._folder / name).write_bytes(data)
        assert not Sessions(self._folder).holds("token", "name")
        for load in (lambda: load_password(self._folder), lambda: record.load(self._folder / "updates.json")):
            try:
                found = load()
            except (SettingsError, UpdateError) as error:
                assert not badly_said(error)
            else:
                if isinstance(found, Password) and found.cost * found.times <= 64:
                    found.fits("x")

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return mutation.of_json(data, chance) if data[:1] == b"{" else mutation.of_bytes(
            data, chance, tokens=(b"9" * 20, b" ", b"memory", b"9" * 60, "\u0662".encode(), b"-", b"0" * 20))


class Lists:
    """Labels one a line; a table of classes; a CSV manifest of recordings."""

    allowed = (ModelError, SettingsError, SourceError)

    def __init__(self, folder: Path) -> None:
        self._table, self._manifest = folder / "classes.toml", folder / "clips.csv"

    def seeds(self) -> Sequence[bytes]:
        classes = (ROOT / "models" / "classes.toml").read_bytes()
        return [b"Lone\nwo words\ndrei\n", b"L\xef\xbb\xbfa\r\nb\r\n", b"C" + classes[:3_000], b"C" + classes[-3_000:],
                b"Mpath,class,split,group\na.wav,clap,test,one\nb.wav,talk,train,\n", b'Mpath,class\n"a,b.wav",clap\n']

    def try_one(self, data: bytes) -> None:
        kind, text = data[:1], data[1:]
        if kind == b"L":
            labels = parse_labels(text, "labels.txt")
            assert labels and all(labels)
        elif kind == b"C":
            self._table.write_bytes(text)
            load_classes(self._table)
        else:
            self._manifest.write_bytes(text)
            assert find_clips(self._manifest)
            find_clips(self._manifest, split="test")

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        if data[:1] == b"C":
            return b"C" + mutation.of_toml(data[1:], chance, words=("name", "labels", "clips", "beside", "class"))
        tokens = (b"\n", b",", b'"', b"\0", b"\r", b"path", b"x" * 200_000)
        return data[:1] + mutation.of_bytes(data[1:], chance, tokens=tokens)
