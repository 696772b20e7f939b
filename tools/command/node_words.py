"""What the words of a command for a node mean. Pure: which commands there are is the firmware's table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from firmware.node.orders import NAMES
from hub.errors import Problem
from shared_schema.messages import ARGUMENTS_LENGTH
from shared_schema.metrics import KINDS

# what each is for; "update" is penstock node update
SENTENCES: Mapping[str, str] = {
    "identify": "blink for two seconds",
    "reboot": "restart once the answer is out",
    "sample-now": "read every sensor now; a window that is open goes on",
    "set-interval": "sample a kind in another rhythm, until the next restart or configuration",
    "set-output": "switch what the node's configuration calls by that name",
    "calibrate": "from now on: value * scale_ppm / 1000000 + offset, offset in the metric's last decimal",
}
_WHERE = "command line"
_KINDS = {kind.name: kind for kind in KINDS if kind.is_telemetry}
_Argument = tuple[Any, ...]  # a text's (name,), a whole number's (name, lowest, highest)


class Words(NamedTuple):
    """A command as a node takes it; arguments: JSON. Nothing of it counts when there are problems."""

    name: str
    arguments: str
    problems: list[Problem]


def meant_by(command: str, words: Sequence[str]) -> Words:
    """Return what a command and its NAME=VALUE words mean, with every problem at once."""
    name = command.replace("-", "_")
    if _shown(name) not in SENTENCES:
        problem = Problem(_WHERE, command, "is no command of a node", f"there are {', '.join(SENTENCES)}")
        return Words(name, "", [problem])
    wanted: dict[str, _Argument] = {each[0]: each for each in dict(NAMES)[name]}
    given, problems = _split(name, words, wanted)
    for key, argument in wanted.items():
        problems += _about(name, argument, given.get(key))
    problems += _about_meaning(given)
    arguments = json.dumps(
        {key: text if len(wanted[key]) == 1 else _whole(text) for key, text in given.items()}
    )
    if len(arguments.encode()) > ARGUMENTS_LENGTH:
        problems.append(Problem(_WHERE, command, f"takes arguments of {ARGUMENTS_LENGTH} bytes at most"))
    return Words(name, arguments, problems)


def usage_of(name: str) -> str:
    """Return a command and its arguments, as a person writes them."""
    wanted = dict(NAMES)[name.replace("-", "_")]
    return " ".join([_shown(name), *(f"{each[0]}={_allowed(each)}" for each in wanted)])


def _split(
    name: str, words: Sequence[str], wanted: Mapping[str, _Argument]
) -> tuple[dict[str, str], list[Problem]]:
    given: dict[str, str] = {}
    problems: list[Problem] = []
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key not in wanted:
            problems.append(Problem(_WHERE, word, f"says nothing to {_shown(name)}", f"say {usage_of(name)}"))
        elif key in given:
            problems.append(Problem(_WHERE, word, f"{key} was said before", "say it once"))
        else:
            given[key] = text
    return given, problems


def _about(name: str, argument: _Argument, text: str | None) -> Iterator[Problem]:
    key = argument[0]
    if not text:
        yield Problem(_WHERE, _shown(name), f"{key} is missing", f"say {usage_of(name)}")
    elif len(argument) > 1:
        value = _whole(text)
        if value is None or not argument[1] <= value <= argument[2]:
            yield Problem(
                _WHERE, f"{key}={text}", f"is not a whole number from {argument[1]} to {argument[2]}"
            )


def _about_meaning(given: Mapping[str, str]) -> Iterator[Problem]:
    """Say what no node measures."""
    kind, metric = given.get("kind"), given.get("metric")
    if kind and kind not in _KINDS:
        yield Problem(_WHERE, f"kind={kind}", "is no kind of readings", f"there are {', '.join(_KINDS)}")
    elif kind and metric and metric not in _KINDS[kind].field_names:
        names = ", ".join(_KINDS[kind].field_names)
        yield Problem(_WHERE, f"metric={metric}", f"is no metric of {kind}", f"there are {names}")


def _allowed(argument: _Argument) -> str:
    if len(argument) == 1:
        return str(argument[0]).upper()
    return f"{argument[1]}..{argument[2]}"


def _shown(name: str) -> str:
    return name.replace("_", "-")


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None
