"""Errors, grouped by how one reacts.

PenstockError
├── TryAgain        it may work later: back off and repeat
├── NeverResend     this very thing will never be accepted: set it aside with the reason
├── DropPeer        the other side broke the protocol: close the connection, count it, reconnect
├── ConfigError     stop at start, with every problem at once
└── OperatorNeeded  someone has to do something: say what, raise an alarm, keep running what can run
"""

from collections.abc import Sequence
from typing import NamedTuple


class PenstockError(Exception):
    """What failed, where, and what to do about it."""

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        return f"{sentence} ({self.hint})" if self.hint else sentence


class TryAgain(PenstockError):
    """It may work later. after_s: the earliest sensible moment, when the other side named one."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", after_s: float | None = None) -> None:
        super().__init__(what, where=where, hint=hint)
        self.after_s = after_s


class NeverResend(PenstockError):
    """This very thing will never be accepted."""


class DropPeer(PenstockError):
    """The other side broke the protocol."""


class OperatorNeeded(PenstockError):
    """A person has to act."""


class Problem(NamedTuple):
    """One thing wrong in a configuration file."""

    file: str
    key: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        sentence = f"{self.file}: {self.key}: {self.reason}"
        return f"{sentence} ({self.hint})" if self.hint else sentence


class ConfigError(PenstockError):
    """A configuration that cannot be used; problems holds everything wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
