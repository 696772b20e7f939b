"""What one node is told to do and to be, and what it said to that.

Rule 1: a configuration is sent until the node reports its version, applied or refused; not again after that.
Rule 2: a command is sent in every session until it has an end, or its time is over. The node answers an id it
    has seen with the old result, so repeating does nothing twice.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from shared_schema.messages import Command, Config, ConfigReport, ConfigState, Result, ResultState

WAITING_MOST = 16  # as many ids the node remembers
AWAY = "the node did not dial in time"
UNHEARD = "it was sent and not answered in time; it may have been carried out"
FINAL = frozenset({ResultState.EXECUTED, ResultState.FAILED, ResultState.UNKNOWN, ResultState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Given:
    """A command on its way. ends_s: monotonic; begun later than that it is worth nothing.

    is_sent: whether a node may have it, by this hub or by its last run.
    """

    command_id: int
    name: str
    arguments: str
    ends_s: float
    is_sent: bool = False

    def at(self, now_s: float) -> Command:
        """Return the message, with the time that is left."""
        return Command(self.command_id, self.name, self.arguments, max(0, int(self.ends_s - now_s)))


@dataclass(frozen=True, slots=True)
class Reported:
    """What a node said of its configuration. version: the one it runs on."""

    version: int = 0
    refused_version: int = 0
    reason: str = ""

    def with_report(self, report: ConfigReport) -> "Reported":
        """Return what is known after a report."""
        if report.state == ConfigState.REFUSED:
            return replace(self, refused_version=report.version, reason=report.text)
        return Reported(version=report.version)


def config_to_send(wanted_version: int, document: str, reported: Reported) -> Config | None:
    """Return the configuration a node has to be told."""
    if not wanted_version or wanted_version in {reported.version, reported.refused_version}:
        return None
    return Config(wanted_version, document)


class Commands:
    """The commands of one node that have no end yet."""

    def __init__(self) -> None:
        self._given: dict[int, Given] = {}

    @property
    def sent(self) -> frozenset[int]:
        """The ids of those that a node may have."""
        return frozenset(number for number, given in self._given.items() if given.is_sent)

    def give(self, given: Given) -> bool:
        """Take a command; False when it is known, or as many wait as a node remembers."""
        if len(self._given) >= WAITING_MOST or given.command_id in self._given:
            return False
        self._given[given.command_id] = given
        return True

    def keep(self, command_ids: Collection[int]) -> None:
        """Forget all but these."""
        self._given = {number: given for number, given in self._given.items() if number in command_ids}

    def send(self, command_id: int, now_s: float) -> Command:
        """Return what is to be sent now of a command that was given."""
        given = self._given[command_id] = replace(self._given[command_id], is_sent=True)
        return given.at(now_s)

    def to_send(self, now_s: float) -> list[Command]:
        """Return what is to be sent at the beginning of a session."""
        waiting = [number for number, given in self._given.items() if given.ends_s > now_s]
        return [self.send(number, now_s) for number in waiting]

    def expired(self, now_s: float) -> list[Result]:
        """Return the ends of commands whose time is over, and forget those."""
        late = [given for given in self._given.values() if given.ends_s <= now_s]
        for given in late:
            del self._given[given.command_id]
        return [
            Result(given.command_id, ResultState.EXPIRED, UNHEARD if given.is_sent else AWAY)
            for given in late
        ]

    def heard(self, result: Result) -> bool:
        """Take a result; return whether it is the end of a command that waited."""
        return result.state in FINAL and self._given.pop(result.command_id, None) is not None
