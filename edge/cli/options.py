"""Options that several commands share, and the settings that they stand for."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

from edge.errors import SettingsError
from edge.model.embedded import is_path
from edge.settings import Settings
from edge.settings_file import load_settings
from edge.state import default_state_dir


def common(parser: argparse.ArgumentParser, *, formats: bool = False) -> None:
    """--config, --state-dir, --model; with `formats`, --format too."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); every key has a default")
    parser.add_argument("--state-dir", type=Path, default=None, metavar="DIR",
                        help="where models, the journal and all that is learnt are kept (environment: EDGE_AUDIO_STATE)")
    parser.add_argument("--model", metavar="NAME", help="model to use (default: starter, or the settings' own)")
    parser.add_argument("--runtime", choices=("auto", "litert", "tflite-runtime"), help="runtime to use")
    if formats:
        add_formats(parser)


def add_formats(parser: argparse.ArgumentParser, *, talk: bool = False) -> None:
    """--format. talk: jsonl, too, in which a program listens and answers."""
    parser.add_argument("--format", choices=("table", "json", "csv", *(("jsonl",) if talk else ())), default="table",
                        help="form of the output" + ("; jsonl: lines for a program that answers "
                                                     "(deploy/docs/teach.md#for-programs)" if talk else ""))


def settings_from(options: argparse.Namespace) -> Settings:
    """The settings file, if one was named, with the command line's own words on top."""
    settings = load_settings(options.config) if options.config is not None else Settings()
    model = settings.model
    if options.model is not None:
        model = replace(model, name=options.model)
    if options.runtime is not None:
        model = replace(model, runtime=options.runtime)
    return replace(settings, model=model)


def try_own_model(settings: Settings) -> None:
    """Run a model that is named by its path once in a child: no install has tried it, and it may crash the runtime.

    Raises ModelError.
    """
    if is_path(settings.model.name):
        from edge.workshop.models.trial import try_directory  # the workshop: for such a model only

        try_directory(Path(settings.model.name), runtime=settings.model.runtime, delegate=settings.model.delegate)


def state_dir_from(options: argparse.Namespace) -> Path:
    """--state-dir, else the environment's, else the default."""
    return options.state_dir if options.state_dir is not None else default_state_dir()


def hop_from(seconds: float | None, otherwise: float) -> float:
    """--hop, else `otherwise`. Raises SettingsError for one that is no multiple of 0.01 from 0.01 to 0.96."""
    if seconds is None:
        return otherwise
    if not 0.01 <= seconds <= 0.96 or abs(seconds * 100 - round(seconds * 100)) > 1e-6:
        raise SettingsError("--hop", found=str(seconds), wanted="a multiple of 0.01 from 0.01 to 0.96")
    return seconds


def log_to_stderr(level: str) -> None:
    """Messages for people go to standard error, one line each; standard output is for events and results."""
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format="%(levelname)s %(name)s: %(message)s", force=True)
