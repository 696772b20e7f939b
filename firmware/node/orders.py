"""Which orders a node takes, and what they may say. Pure: the acts are handed in.

In memory only while one is carried out.
"""

import json

from shared_schema.messages import ResultState

# name, its arguments: (key, lowest, highest) for a whole number, (key,) for a text
NAMES = (
    ("identify", ()),
    ("reboot", ()),
    ("sample_now", ()),
    ("set_interval", (("kind",), ("interval_s", 1, 86_400))),
    ("set_output", (("name",), ("value", 0, 1))),
    ("calibrate", (("kind",), ("metric",), ("scale_ppm", -(10**9), 10**9), ("offset", -(10**9), 10**9))),
    ("update", ()),
)


class CannotDo(ValueError):
    """The order is understood and cannot be carried out; the text says why."""


def carry_out(acts: dict, command):
    """Do what a command says; return the ResultState and the text of its result.

    acts: a callable per name that takes the arguments by keyword, and returns a text or raises CannotDo.
    """
    act = acts.get(command.name)
    if act is None:
        return ResultState.UNKNOWN, "there are " + ", ".join(sorted(acts))
    if command.expires_in_s <= 0:
        return ResultState.EXPIRED, "came too late"
    try:
        return ResultState.EXECUTED, act(**arguments_of(command.name, command.arguments)) or ""
    except CannotDo as error:
        return ResultState.FAILED, str(error)
    except OSError as error:  # a pin or a bus that does not answer
        return ResultState.FAILED, "the hardware failed: %r" % error


def arguments_of(name: str, text: str) -> dict:
    """Return a command's arguments. Raises CannotDo naming the one that is wrong."""
    try:
        given = json.loads(text or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise CannotDo("the arguments are not a JSON object")
    wanted = dict(NAMES)[name]
    for key in given:
        if key not in [argument[0] for argument in wanted]:
            raise CannotDo("%s takes no %s" % (name, key))
    return {argument[0]: _checked(name, argument, given.get(argument[0])) for argument in wanted}


def _checked(name: str, argument, value):
    if len(argument) == 1:
        if isinstance(value, str) and value:
            return value
        raise CannotDo("%s: %s is missing" % (name, argument[0]))
    key, low, high = argument
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise CannotDo("%s: %s is not a whole number from %d to %d" % (name, key, low, high))
