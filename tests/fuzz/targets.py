"""Every target: where it is, and its share of a million inputs."""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Listed:
    """module, kind: where its class is. guided: by coverage, where atheris is installed; a target that forks is not."""

    module: str
    kind: str
    share: int
    what: str
    guided: bool = True


def _listed(module: str, kind: str, share: int, what: str, *, guided: bool = True) -> Listed:
    return Listed(f"tests.fuzz.{module}", kind, share, what, guided)


TARGETS = {
    "wav": _listed("recordings", "Wav", 150_000, "WAV files, read by ourselves"),
    "sound-file": _listed("recordings", "SoundFile", 50_000, "FLAC, Ogg, MP3, AIFF and the like, read by libsndfile"),
    "settings": _listed("words", "SettingsFile", 120_000, "settings in TOML"),
    "commanded": _listed("words", "Commanded", 40_000, "small files: commanded, numbers, password, sessions, updates"),
    "lists": _listed("words", "Lists", 60_000, "lists of labels, tables of classes, manifests of recordings"),
    "manifest": _listed("model_files", "ManifestFile", 80_000,
                        "manifest.json of a model and of the look network, rows.json"),
    "model": _listed("model_files", "ModelFile", 5_000, "TFLite files, installed", guided=False),
    "archive": _listed("model_files", "Archive", 40_000, "packed models, unpacked"),
    "calibration": _listed("learnt", "CalibrationFile", 60_000, "calibrations"),
    "taught": _listed("learnt", "TaughtFile", 40_000, "what was taught, by patches and by looks, and what was judged"),
    "arrays": _listed("learnt", "Arrays", 40_000, "the room's embeddings, and heads"),
    "journal": _listed("journal", "JournalFile", 10_000, "damaged journals, read and written again"),
    "watch-asked": _listed("watching", "Asked", 70_000, "what watchers ask of the appliance"),
    "watch-told": _listed("watching", "Told", 55_000, "what an appliance tells watchers, the page and the workshop"),
    "commands": _listed("mqtt", "Commands", 120_000, "commands over MQTT, and what a broker retains"),
    "mqtt-packets": _listed("mqtt", "Packets", 40_000, "what a broker sends, byte by byte"),
    "page": _listed("page", "Requests", 20_000, "requests to the page, with a password and without"),
}
"""By name. The shares come to a million."""
PLANTED = {"faults": _listed("planted", "Faults", 0, "faults to be found", guided=False),
           "waits": _listed("planted", "Waits", 0, "a wait without an end", guided=False)}
"""For the runner's own test."""
