"""Why no order is carried out twice: a command's id is answered from memory when it comes again.

The hub may not have heard the answer. What ends the boot is remembered on flash as well, before it is carried
out; on a node that sleeps, all.
"""

from firmware.node.files import read_json, write_json
from shared_schema.messages import Result, ResultState

REMEMBERED = 16
ENDS_THE_BOOT = ("reboot",)
RESULTS = "results.json"  # {"7": [state, text]}: of the orders before this boot


class CommandBook:
    """Answers commands, each id once. carry_out: takes a command and returns a ResultState and a text.

    keep: takes the results remembered, to outlast this boot. keeps_all: whether it is for every command, not
    only for those that end the boot.
    """

    def __init__(self, carry_out, keep) -> None:
        self._carry_out = carry_out
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


def recalled_results(root: str):
    """Return the results of orders of earlier boots."""
    found = read_json(root + RESULTS) or {}
    try:
        return [Result(number, *found[str(number)]) for number in sorted([int(key) for key in found])]
    except (TypeError, ValueError):  # of another release
        return []


def keep_results(root: str, results) -> None:
    """Remember beyond the restart what orders came to. Raises OSError."""
    write_json(root + RESULTS, {str(each.command_id): [each.state, each.text] for each in results})
