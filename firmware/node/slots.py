"""Which slot starts, and what is remembered from one boot to the next.

A record of about 60 bytes in two copies, each with a number and a check sum. A write replaces the older copy,
so that the newer one is whole whatever happens; the newest whole copy counts. The boot part, which no update
replaces, reads these files for the life of the node: items are only ever added, at the end.
"""

import json
import os
from binascii import crc32

SLOTS = ("a", "b")
COPIES = ("slot.0", "slot.1")
RECORD_BYTES = 300
PACK = "application.pack"  # the modules of a slot (pack.py)
MANIFEST = "manifest.json"  # written last, removed first: a slot that has it is whole

_PAIRS = (("a", "b"), ("b", "a"))
_ITEMS = 10  # of this version; a later one may have more
_NUMBER_LIMIT = 2**30  # beyond it an integer is an object on a board


class Pointer:
    """What the record says.

    active, previous: of SLOTS; previous is the way back. trial_boots_left: 0 when there is no trial.
    version, counter: of the release that was confirmed last; empty and 0 when that is not known.
    fast_resets: boots in a row that ended within a minute. reset_note: why the boot part reset the board, of
    trial.ResetCause; 0 when it did not. trial_version, trial_counter: what is on trial, or was rolled back.
    """

    def __init__(self) -> None:
        self.active = "a"
        self.previous = "b"
        self.trial_boots_left = 0
        self.version = ""
        self.counter = 0
        self.fast_resets = 0
        self.reset_note = 0
        self.trial_version = ""
        self.trial_counter = 0

    @property
    def is_trial(self) -> bool:
        """True while the active slot has not been confirmed."""
        return self.trial_boots_left > 0

    @property
    def failed_version(self) -> str:
        """The release that was rolled back last; empty once another is on trial."""
        return "" if self.is_trial else self.trial_version

    def exchange(self) -> None:
        """Make the other slot the active one, without a trial."""
        self.active, self.previous = self.previous, self.active
        self.trial_boots_left = 0
        self.fast_resets = 0


def load(root: str) -> Pointer:
    """Return what the newest whole copy in root says, or a fresh Pointer. root ends with a slash."""
    number, pointer, _ = _newest(root)
    if number:
        return pointer
    if not is_whole(root, pointer.active) and is_whole(root, pointer.previous):
        pointer.exchange()
    return pointer


def is_recorded(root: str) -> bool:
    """Return True when there is a whole copy."""
    return _newest(root)[0] > 0


def store(root: str, pointer: Pointer) -> None:
    """Write pointer over the older copy. Raises OSError."""
    number, _, newest = _newest(root)
    with open(root + COPIES[1 - newest], "wb") as file:
        file.write(encode(number + 1, pointer))


def folder(root: str, slot: str) -> str:
    """Return the folder of a slot, with a slash at its end."""
    return root + "slots/" + slot + "/"


def is_whole(root: str, slot: str) -> bool:
    """Return True when everything of a release is in the slot."""
    try:
        os.stat(folder(root, slot) + MANIFEST)
    except OSError:
        return False
    return True


def encode(number: int, pointer: Pointer) -> bytes:
    """Return one copy: the check sum in hexadecimal, a space, and a JSON array."""
    body = json.dumps(
        [
            number,
            pointer.active,
            pointer.previous,
            pointer.trial_boots_left,
            pointer.version,
            pointer.counter,
            pointer.fast_resets,
            pointer.reset_note,
            pointer.trial_version,
            pointer.trial_counter,
        ]
    ).encode()
    return b"%08x " % crc32(body) + body


def decode(data: bytes) -> "tuple[int, Pointer] | None":
    """Return the number and the pointer of one copy, None when it is torn, altered or no copy at all."""
    body = data[9:]
    if data[:9] != b"%08x " % crc32(body):
        return None
    try:
        return _pointer(*json.loads(body)[:_ITEMS])
    except (ValueError, TypeError):
        return None


def _pointer(
    number: int,
    active: str,
    previous: str,
    boots_left: int,
    version: str,
    counter: int,
    fast_resets: int,
    reset_note: int,
    trial_version: str,
    trial_counter: int,
) -> "tuple[int, Pointer] | None":
    if (active, previous) not in _PAIRS:
        return None
    numbers: "tuple[object, ...]" = (number, boots_left, counter, fast_resets, reset_note, trial_counter)
    for value in numbers:
        if not isinstance(value, int) or not 0 <= value < _NUMBER_LIMIT:
            return None
    pointer = Pointer()
    pointer.active, pointer.previous, pointer.trial_boots_left = active, previous, boots_left
    pointer.version, pointer.counter = str(version), counter
    pointer.fast_resets, pointer.reset_note = fast_resets, reset_note
    pointer.trial_version, pointer.trial_counter = str(trial_version), trial_counter
    return number, pointer


def _newest(root: str) -> "tuple[int, Pointer, int]":
    """Return the number, pointer and index of the newest whole copy; number 0 when there is none."""
    newest = (0, Pointer(), 1)
    for index, name in enumerate(COPIES):
        found = _read(root + name)
        if found is not None and found[0] > newest[0]:
            newest = (found[0], found[1], index)
    return newest


def _read(path: str) -> "tuple[int, Pointer] | None":
    try:
        with open(path, "rb") as file:
            return decode(file.read(RECORD_BYTES))
    except OSError:
        return None
