"""What a result code of SQLite asks for. Source: https://www.sqlite.org/rescode.html."""

from enum import Enum


class Trouble(Enum):
    """How one reacts. The value is the code of the event that tells the operator."""

    FULL = "disk_full"
    IO = "disk_error"
    LOCKED = "outbox_locked"
    CORRUPT = "outbox_corrupt"
    BUG = ""


# A statement that never fails does when the file no longer has the table it names.
DAMAGES = frozenset({Trouble.CORRUPT, Trouble.BUG})

_PRIMARY = {
    3: Trouble.IO,  # PERM
    5: Trouble.LOCKED,  # BUSY
    6: Trouble.LOCKED,  # LOCKED
    7: Trouble.IO,  # NOMEM
    8: Trouble.IO,  # READONLY
    10: Trouble.IO,  # IOERR
    11: Trouble.CORRUPT,  # CORRUPT
    13: Trouble.FULL,  # FULL
    14: Trouble.IO,  # CANTOPEN
    15: Trouble.LOCKED,  # PROTOCOL
    23: Trouble.IO,  # AUTH
    26: Trouble.CORRUPT,  # NOTADB
}

SENTENCES = {
    Trouble.FULL: "the disk is full: new readings wait in memory; free some space",
    Trouble.IO: "the disk does not take writes: new readings wait in memory; check the disk, its"
    " mount and its permissions",
    Trouble.LOCKED: "another program holds the outbox: new readings wait in memory; end what has it open",
    Trouble.CORRUPT: "the outbox file was damaged: it was set aside, a fresh one took over, and what can be"
    " read is being brought back",
}


def trouble_of(result_code: int | None) -> Trouble:
    """Return how to react to a result code, extended or not."""
    if result_code is None:
        return Trouble.BUG
    return _PRIMARY.get(result_code & 0xFF, Trouble.BUG)
