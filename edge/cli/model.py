"""Install, list, show, verify, remove, pack or export models."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.cli.options import state_dir_from
from edge.cli.parser import Parser
from edge.control.commanded import load_commanded
from edge.control.current import serving_of
from edge.control.loading import find_model, load_model
from edge.decision.rhythm import RHYTHMS
from edge.decision.targets import Target
from edge.settings import Settings, TargetSettings
from edge.settings_file import load_settings
from edge.workshop.models.export import export
from edge.workshop.models.install import Installer
from edge.workshop.progress import bar

EXAMPLES = """Examples:
  edge-audio model install yamnet                            YAMNet from where it was published: checked, split, kept
  edge-audio model install yamnet.tflite                     the same, of a file that was downloaded elsewhere
  edge-audio model install https://example.org/bird.tflite --labels birds.txt --sha256 4f2a...
  edge-audio model list
  edge-audio model pack yamnet --output yamnet.tar           for a board that has tflite-runtime only
  edge-audio run --model yamnet
  edge-audio model export starter --output ears.tflite       for a phone app: waveform in, scores out, labels inside

YAMNet is split into backbone and head. Any other TFLite classifier with one waveform input (16 kHz) and one score
output is taken whole, with the labels inside the file or those that --labels names, one a line. One that takes a patch
of bands and gives logits serves too: files for an Edge TPU are such, and want --delegate.
"""


def arguments(parser: Parser) -> None:
    """What `model` takes."""
    verbs = parser.add_parts("VERB")

    def verb(name: str, help_line: str, act: Callable[[argparse.Namespace, Installer], int]) -> Parser:
        part: Parser = verbs.add_parser(name, help=help_line, description=help_line)
        part.add_argument("--state-dir", type=Path, default=None, metavar="DIR", help="where models are kept")
        part.add_argument("--runtime", choices=("auto", "litert", "tflite-runtime"), default="auto", help="to try it on")
        part.add_argument("--delegate", default="", metavar="LIBRARY", help="to try it with, such as libedgetpu.so.1")
        part.set_defaults(act=act)
        return part

    install = verb("install", "install a published file or a packed model, from a path, a URL or a known name", _install)
    install.add_argument("source", metavar="FILE|URL|NAME",
                         help="a .tflite or a packed model; https:// and file:// addresses; yamnet: where it was published")
    install.add_argument("--name", help="what to call it (default: its own name)")
    install.add_argument("--sha256", metavar="DIGEST", help="refuse anything else")
    install.add_argument("--labels", type=Path, metavar="FILE", help="labels, one a line, where the file has none inside")
    listing = verb("list", "list embedded and installed models", _list)
    listing.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    showing = verb("show", "show a model: origin, labels, targets, and the thresholds that serve", _show)
    showing.add_argument("name", metavar="NAME")
    showing.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML) whose targets and thresholds to show")
    for name, help_line, act in (("verify", "check every file's digest, and run the model once", _verify),
                                 ("remove", "remove an installed model", _remove)):
        verb(name, help_line, act).add_argument("name", metavar="NAME")
    pack = verb("pack", "write a model as one archive for another board", _pack)
    pack.add_argument("name", metavar="NAME")
    pack.add_argument("--output", type=Path, metavar="FILE", help="archive to write (default: NAME.tar)")
    exporting = verb("export", "write a model, taught sounds included, as one TFLite file for phone apps", _export)
    exporting.add_argument("name", metavar="NAME")
    exporting.add_argument("--output", type=Path, metavar="FILE", help="file to write (default: NAME.tflite)")


def run(options: argparse.Namespace) -> int:
    """Do what the verb says."""
    act: Callable[[argparse.Namespace, Installer], int] = options.act
    return act(options, Installer(state_dir_from(options), runtime=options.runtime, delegate=options.delegate))


def _install(options: argparse.Namespace, store: Installer) -> int:
    with bar("install", "bytes") as drawn:
        folder = store.install(options.source, name=options.name, sha256=options.sha256, labels=options.labels,
                               progress=lambda done, total: drawn(done, total or 0))
    manifest = store.show(folder.name)
    print(f"installed {manifest.name}: {manifest.kind}, {len(manifest.labels)} labels, in {folder}")
    print(f"use it: edge-audio run --model {manifest.name}")
    return 0


def _list(options: argparse.Namespace, store: Installer) -> int:
    """Broken models are listed with what is wrong, and make the exit code 1."""
    found = store.list()
    for model in found:
        origin, manifest = "embedded" if model.embedded else "installed", model.manifest
        if options.format == "json":
            print(json.dumps({"name": model.name, "origin": origin, "kind": manifest.kind if manifest else None,
                              "version": manifest.version if manifest else None,
                              "labels": len(manifest.labels) if manifest else None, "problem": model.problem}))
        elif manifest is None or model.problem:
            print(f"{model.name:<16}{origin:<11}BROKEN  {model.problem}")
        else:
            print(f"{model.name:<16}{origin:<11}{manifest.kind:<7}{len(manifest.labels):>4} labels  {manifest.description}")
    return 1 if any(model.problem for model in found) else 0


def _show(options: argparse.Namespace, store: Installer) -> int:
    manifest = store.show(options.name)
    print(f"{manifest.name} {manifest.version}: {manifest.description}\nlicence {manifest.licence}; {manifest.kind}")
    for key, value in manifest.source.items():
        print(f"{key}: {value}")
    settings = load_settings(options.config) if options.config is not None else Settings()
    state_dir = state_dir_from(options)
    named = find_model(options.name, state_dir)
    offered = named.extended.targets
    standard = {target.name for target in offered if target.standard}
    standard |= {offer.name for offer in named.offers if offer.standard}
    names = (target.name for target in sorted(offered, key=lambda target: not target.standard))
    looked = (offer.name for offer in named.offers)
    wanted = settings.target or tuple(TargetSettings(name=name) for name in dict.fromkeys((*names, *looked, *RHYTHMS)))
    settings = replace(settings, model=replace(settings.model, name=options.name, runtime=options.runtime), target=wanted)
    commanded = load_commanded(state_dir, settings.commandable).of(options.name)
    serving = replace(serving_of(settings, state_dir), thresholds=commanded)
    print("targets of the settings:" if options.config else "targets (heard where the settings name none):")
    targets = serving.plan().targets
    for sound in targets.sounds:
        print(f"  {sound.name:<16}threshold {sound.threshold:.3f}, release {sound.release_threshold:.3f} "
              f"({serving.whence(sound.name)}): {_named_by(sound)}"
              f"{'' if options.config or sound.name in standard else '  (only where the settings name it)'}")
    for alarm in targets.rhythms:
        print(f"  {alarm.name:<16}threshold {alarm.threshold:.3f} ({serving.whence(alarm.name)}): "
              f"the rhythm {alarm.rhythm.name} of a tone, whatever the model")
    print(f"{len(manifest.labels)} labels:")
    for label in manifest.labels:
        print(f"  {label}{'  (experimental)' if label in manifest.experimental else ''}")
    return 0


def _named_by(sound: Target) -> str:
    return "looks at onsets, whatever the model" if sound.looked else ", ".join(sound.labels)


def _verify(options: argparse.Namespace, store: Installer) -> int:
    print(f"{options.name}: every file is what its manifest says; {store.verify(options.name)}")
    return 0


def _remove(options: argparse.Namespace, store: Installer) -> int:
    store.remove(options.name)
    print(f"removed {options.name}")
    return 0


def _pack(options: argparse.Namespace, store: Installer) -> int:
    output = options.output or Path(f"{options.name}.tar")
    store.pack(options.name, output)
    print(f"packed {options.name} into {output}; on the other board: edge-audio model install {output.name}")
    return 0


def _export(options: argparse.Namespace, store: Installer) -> int:
    directory, output = store.find(options.name), options.output or Path(f"{options.name}.tflite")
    model = load_model(options.name, state_dir=state_dir_from(options), runtime=options.runtime)
    made = export(model, directory, output, runtime=options.runtime)
    print(f"exported {options.name} into {output}: {made.labels} labels, {made.bytes} bytes; tried on made-up sounds, its "
          f"scores are at most {made.difference:.4f} off the appliance's own")
    return 0
