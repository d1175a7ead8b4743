"""The command line as people type it: options anywhere, and an answer that helps where a word is wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from edge.cli import main, teach
from edge.cli.parser import Parser
from edge.workshop.teach_report import same_as


def usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a command line that is refused with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


def teach_options(*given: str) -> argparse.Namespace:
    parser = Parser(prog="edge-audio teach")
    teach.arguments(parser)
    return parser.read(given)


@pytest.mark.parametrize("given", [
    ("my_alarm", "--model", "yamnet", "one.wav", "two.wav"), ("--model", "yamnet", "my_alarm", "one.wav", "two.wav"),
    ("my_alarm", "one.wav", "--model", "yamnet", "two.wav"), ("my_alarm", "one.wav", "two.wav", "--model=yamnet")])
def test_options_may_stand_anywhere(given: tuple[str, ...]) -> None:
    """`teach my_alarm --model yamnet FILES` once ended in "unrecognized arguments: FILES"."""
    options = teach_options(*given)
    assert (options.name, options.clips, options.model) == ("my_alarm", [Path("one.wav"), Path("two.wav")], "yamnet")


def test_a_refused_sound_is_told_which_class_it_may_be_the_same_as() -> None:
    """A doorbell was refused as too like the bank's doorbells, and the message left the word behind --like open."""
    assert same_as(("neg_tap", "doorbell", "siren")) == "--like doorbell if that is the same sound"
    assert same_as(("taught kettle",)) == same_as(()) == "--like for a class that is the same"


def test_what_follows_two_dashes_is_no_option() -> None:
    options = teach_options("my_alarm", "--force", "--", "-one.wav", "--force")
    assert options.force and options.clips == [Path("-one.wav"), Path("--force")]


def test_options_may_stand_before_the_command_and_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state-dir", str(tmp_path), "teach", "--list"]) == 0
    assert main(["model", "--format", "json", "--state-dir", str(tmp_path), "list"]) == 0
    assert '"name": "starter"' in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "usage", "meant"), [
    (["teach", "kettle", "--modle", "yamnet"], "usage: edge-audio teach ", "did you mean '--model'?"),
    (["calibrate", "--budgte=1/day"], "usage: edge-audio calibrate ", "did you mean '--budget'?"),
    (["model", "list", "--fromat", "json"], "usage: edge-audio model list ", "did you mean '--format'?"),
    (["clasify", "door.wav"], "usage: edge-audio ", "did you mean 'classify'?"),
    (["model", "instal", "x.tflite"], "usage: edge-audio model ", "did you mean 'install'?")])
def test_a_wrong_word_is_answered_by_the_commands_own_usage(arguments: list[str], usage: str, meant: str,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong option once printed the usage of `edge-audio` itself, which has none of the command's options."""
    said = usage_error(arguments, capsys)
    assert said.startswith(usage) and meant in said and "found" in said and "wanted" in said


def test_a_word_like_no_other_is_answered_by_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    said = usage_error(["zzz"], capsys)
    assert "did you mean" not in said and "teach" in said


@pytest.mark.parametrize("arguments", [[], ["--config"], ["model"]])
def test_a_missing_command_or_verb_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing said which commands there are: "the following arguments are required: COMMAND"."""
    said = usage_error(arguments, capsys)
    assert "required: " in said and ("install, list" if arguments == ["model"] else "run, demo, classify") in said


@pytest.mark.parametrize("arguments", [["--version", "run"], ["--help", "run"], ["model", "-h", "list"]])
def test_help_and_version_come_first(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
