"""The commands that people gave nodes through this hub, and what became of each, as it is on disk.

Rule 1: a command's id is drawn once, by who gives it, and goes with it to its end: whoever sends it again,
    after whatever crash, sends the same id, and a node answers an id it has seen with the old result.
Rule 2: an end is final; nothing that comes later changes it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Protocol

from hub.errors import OperatorNeeded
from hub.nodes.orders import WAITING_MOST
from hub.nodes.registry import is_device_key
from shared_schema.messages import EXPIRES_MOST_S, Command, Result, ResultState, encode_command

WAITING = "waiting"
SENT = "sent"
ENDS = tuple(ResultState.NAMES[1:])  # "received" is none
EXECUTED, FAILED, UNKNOWN, EXPIRED = ENDS
OPEN = frozenset({WAITING, SENT})
STATES = (WAITING, SENT, *ENDS)
ENDED_MOST = 100  # kept for those who ask what became of it; beyond that the oldest are forgotten
ID_MOST = 2**30 - 1  # a board counts so far without taking memory for it
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """One command. arguments: a JSON object. wait_s: how long it may wait until it begins.

    ends_at_ms: when that is over, in Unix ms by the system's clock. text: what the node, or the hub in its
    place, said to it.
    """

    device_key: str
    name: str
    arguments: str
    wait_s: int
    ends_at_ms: int
    state: str = WAITING
    text: str = ""

    def left_s(self, wall_ms: int) -> float:
        """Return how long it may still begin; however the clock was set meanwhile, at most wait_s."""
        return min(self.wait_s, (self.ends_at_ms - wall_ms) / 1000)


@dataclass(frozen=True, slots=True)
class CommandList:
    """All commands by their ids, the oldest first."""

    given: Mapping[int, CommandEntry] = field(default_factory=lambda: MappingProxyType({}))

    def with_new(self, command_id: int, given: CommandEntry, wall_ms: int) -> "CommandList":
        """Return the list with one more command, under an id that is not in use.

        Raises OperatorNeeded when as many wait for the node as it remembers.
        """
        waiting = [
            each
            for each in self.given.values()
            if each.device_key == given.device_key and each.state in OPEN and each.left_s(wall_ms) > 0
        ]
        if len(waiting) >= WAITING_MOST:
            hint = "wait until they are carried out, or expire"
            raise OperatorNeeded(f"{WAITING_MOST} commands wait for it", where=given.device_key, hint=hint)
        return CommandList({**self.given, command_id: given})

    def sent(self, command_ids: frozenset[int]) -> "CommandList":
        """Return the list after these have been sent."""
        changed = {
            number: replace(given, state=SENT)
            for number, given in self.given.items()
            if number in command_ids and given.state == WAITING
        }
        return CommandList({**self.given, **changed}) if changed else self

    def ended(self, results: Mapping[int, Result]) -> "CommandList":
        """Return the list with the ends of commands; those that have one, or are not known, are left out."""
        given = {number: _ended(each, results.get(number)) for number, each in self.given.items()}
        over = [number for number, each in given.items() if each.state not in OPEN]
        for number in over[: max(0, len(over) - ENDED_MOST)]:
            del given[number]
        return CommandList(given)


class CommandStore(Protocol):
    """Where the list is kept (commands_io.CommandsFile). All raise OperatorNeeded but mark."""

    def mark(self) -> object:
        """Return what is different after every edit."""
        ...

    def load(self) -> CommandList:
        """Return the list."""
        ...

    def edit(self, change: Callable[[CommandList], CommandList]) -> CommandList:
        """Replace the list, on disk when this returns; return the new one."""
        ...


def encode(commands: CommandList) -> bytes:
    """Return the file's content."""
    given = [{"command_id": number, **asdict(each)} for number, each in commands.given.items()]
    return json.dumps({"format": _FORMAT, "commands": given}, indent=1, ensure_ascii=False).encode() + b"\n"


def decode(content: bytes) -> CommandList:
    """Return the list of a file. Raises ValueError that says what is wrong."""
    said = json.loads(content)
    if not isinstance(said, dict) or said.get("format") != _FORMAT:
        raise ValueError("is not of a version this hub reads")
    entries = said.get("commands")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("has no list of commands")
    return CommandList(dict(_read(entry) for entry in entries))


_WHOLE = ("wait_s", "ends_at_ms")


def _ended(given: CommandEntry, result: Result | None) -> CommandEntry:
    if result is None or given.state not in OPEN:
        return given
    return replace(given, state=ResultState.NAMES[result.state], text=result.text)


def _read(entry: Mapping[str, Any]) -> tuple[int, CommandEntry]:
    number = entry.get("command_id")
    known: dict[str, Any] = {each.name: entry.get(each.name) for each in fields(CommandEntry)}
    are_whole = all(isinstance(known[name], int) for name in _WHOLE)
    are_texts = all(isinstance(value, str) for name, value in known.items() if name not in _WHOLE)
    if not isinstance(number, int) or not are_whole or not are_texts:
        raise ValueError(f"command {number} lacks something")
    given = CommandEntry(**known)
    if (
        given.state not in STATES
        or not is_device_key(given.device_key)
        or not 1 <= given.wait_s <= EXPIRES_MOST_S
    ):
        raise ValueError(f"command {number} is none")
    encode_command(Command(number, given.name, given.arguments, given.wait_s))  # raises for what does not fit
    return number, given
