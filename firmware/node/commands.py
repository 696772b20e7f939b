"""Which orders a node takes, and why none is carried out twice. Pure: the acts are handed in.

A command's id is answered from memory when it comes again, because the hub may not have heard the answer.
What ends the boot is remembered on flash as well, before it is carried out; on a node that sleeps, all.
"""

import json

from shared_schema.messages import Result, ResultState

REMEMBERED = 16
ENDS_THE_BOOT = ("reboot",)

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


class CommandBook:
    """Answers commands, each id once. acts: a callable per name that takes the arguments by keyword.

    An act returns a text for the result, or raises CannotDo. keep: takes the results remembered, to outlast
    this boot. keeps_all: whether it is for every command, not only for those that end the boot.
    """

    def __init__(self, acts: dict, keep) -> None:
        self._acts = acts
        self._keep = keep
        self.keeps_all = False
        self._results = []

    def remember(self, result: Result) -> None:
        """Keep a result, and forget the oldest beyond REMEMBERED."""
        self._results.append(result)
        if len(self._results) > REMEMBERED:
            self._results.pop(0)

    def recall(self, command_id: int):
        """Return the result this command had, or None."""
        for result in self._results:
            if result.command_id == command_id:
                return result
        return None

    def obey(self, command) -> Result:
        """Carry out a command, or return the result it had before."""
        result = self.recall(command.command_id)
        if result is None:
            state, text = self._carry_out(command)
            result = Result(command.command_id, state, text)
            self.remember(result)
            ends = command.name in ENDS_THE_BOOT and state == ResultState.EXECUTED
            if ends or self.keeps_all:
                self._keep(self._results)
        return result

    def _carry_out(self, command):
        act = self._acts.get(command.name)
        if act is None:
            return ResultState.UNKNOWN, "there are " + ", ".join(sorted(self._acts))
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
