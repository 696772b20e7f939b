"""Every subcommand explains itself and is found in the documents."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.command.__main__ import GROUPS, build_parser

ROOT = Path(__file__).resolve().parents[3]


def subparsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield every parser below this one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield below
                yield from subparsers(below)


def is_leaf(parser: argparse.ArgumentParser) -> bool:
    return not any(isinstance(action, argparse._SubParsersAction) for action in parser._actions)


PARSERS = list(subparsers(build_parser()))
each_parser = pytest.mark.parametrize("parser", PARSERS, ids=[parser.prog for parser in PARSERS])
LEAVES = [parser for parser in PARSERS if is_leaf(parser)]
each_leaf = pytest.mark.parametrize("parser", LEAVES, ids=[parser.prog for parser in LEAVES])


def penstock(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.command", *arguments],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_group_is_there() -> None:
    assert {parser.prog.split()[1] for parser in PARSERS} == set(GROUPS)


def test_the_list_of_groups_says_of_each_what_the_group_says_of_itself() -> None:
    helps = {
        choice.dest: choice.help for choice in build_parser()._subparsers._group_actions[0]._choices_actions
    }

    assert helps == GROUPS


@each_parser
def test_help_says_what_it_does(parser: argparse.ArgumentParser) -> None:
    assert parser.description
    assert parser.description.split()[0] in parser.format_help()


@each_parser
def test_every_argument_is_explained(parser: argparse.ArgumentParser) -> None:
    own = [action for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    assert [action.dest for action in own if not action.help] == []


@pytest.mark.parametrize("group", GROUPS)
def test_help_of_a_group_shows_examples(group: str) -> None:
    (parser,) = [parser for parser in PARSERS if parser.prog == f"penstock {group}"]
    assert f"  penstock {group}" in (parser.epilog or "")


@each_leaf
def test_it_can_be_run(parser: argparse.ArgumentParser) -> None:
    assert callable(parser.get_default("run"))


@pytest.mark.parametrize("group", GROUPS)
def test_documents_name_every_group(group: str) -> None:
    pages = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").glob("*.md")]
    assert any(re.search(rf"\b(penstock|make) {group}\b", page.read_text()) for page in pages)


def test_help_is_printed_by_the_real_command() -> None:
    answer = penstock("--help")
    assert answer.returncode == 0, answer.stderr
    for group in GROUPS:
        assert f"  {group} " in answer.stdout


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["demo", "--no-such-option"]])
def test_wrong_usage_ends_with_2_and_a_sentence(arguments: list[str]) -> None:
    answer = penstock(*arguments)
    assert answer.returncode == 2
    assert "usage: penstock" in answer.stderr
    assert "Traceback" not in answer.stderr
