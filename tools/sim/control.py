"""Commands for a running simulated bus, one per line: what a person or a demo types to break things."""

from collections.abc import Callable
from typing import Any

from hub.errors import OperatorNeeded, PenstockError
from tools.sim.bus import SimulatedBus
from tools.sim.registers import TABLES

HELP = """\
dead ADDRESS on|off        the slave keeps silent
slow ADDRESS MS            it answers so much later; 0 ends it
noise ADDRESS SHARE        so many of its replies, 0 to 1, arrive with a wrong bit
truncate ADDRESS BYTES     only so many bytes of its replies arrive; 0 ends it
collide ADDRESS on|off     a second slave with the same address talks at the same time
freeze ADDRESS on|off      its values stand still
reset ADDRESS              its counters start at 0, as after a replacement
hole ADDRESS TABLE FIRST COUNT   reads that touch these addresses are refused; TABLE: coil, discrete,
                           holding or input
fill ADDRESS               no holes any more
shift ADDRESS on|off       it leaves holes out of an answer in silence instead of refusing
pull                       the cable is pulled: the port is gone
plug                       it is plugged in again, under another name
stats                      what was counted
quit                       end
ADDRESS may be "all"."""

_WHERE = "simulated bus"
_SWITCHES = ("dead", "collide", "freeze", "shift")
# command → fault, lowest and highest value
_NUMBERS = {
    "slow": ("slow_ms", 0.0, 600_000.0),
    "noise": ("noise", 0.0, 1.0),
    "truncate": ("truncate", 0.0, 255.0),
}


class Quit(Exception):
    """The command to end."""


class Control:
    """Obeys commands. Each gives an answer that JSON can carry."""

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus = bus
        self._plain: dict[str, Callable[[], None]] = {"pull": bus.pull, "plug": bus.plug}

    def obey(self, line: str) -> dict[str, Any]:
        """Do what a line says. Raises: Quit."""
        words = line.split()
        if not words:
            return {}
        if words[0] == "quit":
            raise Quit
        if words[0] == "help":
            return {"help": HELP.splitlines()}
        if words[0] == "stats":
            return self._stats()
        try:
            self._do(words[0], words[1:])
        except PenstockError as error:
            return {"error": str(error)}
        return {"done": " ".join(words), "device": self._bus.device}

    def _stats(self) -> dict[str, Any]:
        return self._bus.counters.report(self._bus.elapsed_s)

    def _do(self, name: str, rest: list[str]) -> None:
        if name in self._plain:
            _expect(rest, 0, name)
            self._plain[name]()
        elif name in _SWITCHES:
            _expect(rest, 2, name)
            self._bus.fault(name, _address(rest[0]), _switch(rest[1]))
        elif name in _NUMBERS:
            _expect(rest, 2, name)
            fault, low, high = _NUMBERS[name]
            self._bus.fault(fault, _address(rest[0]), _number(rest[1], low, high))
        elif name in ("reset", "fill"):
            _expect(rest, 1, name)
            self._bus.fault(name, _address(rest[0]))
        elif name == "hole":
            _expect(rest, 4, name)
            self._dig(*rest)
        else:
            raise OperatorNeeded(f"no command {name!r}", where=_WHERE, hint='say "help"')

    def _dig(self, address: str, table: str, first: str, count: str) -> None:
        if table not in TABLES:
            raise OperatorNeeded(f"no table {table!r}", where=_WHERE, hint=f"use {', '.join(TABLES)}")
        self._bus.dig(
            _address(address), table, int(_number(first, 0, 65_535)), int(_number(count, 1, 65_536))
        )


def _expect(rest: list[str], count: int, name: str) -> None:
    if len(rest) != count:
        raise OperatorNeeded(f"{name} takes {count} words, not {len(rest)}", where=_WHERE, hint='say "help"')


def _address(word: str) -> int | None:
    return None if word == "all" else int(_number(word, 1, 247))


def _switch(word: str) -> float:
    if word not in ("on", "off"):
        raise OperatorNeeded(f"{word!r} is neither on nor off", where=_WHERE)
    return float(word == "on")


def _number(word: str, low: float, high: float) -> float:
    try:
        number = float(word)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise OperatorNeeded(f"{word!r} is not a number from {low:g} to {high:g}", where=_WHERE)
    return number
