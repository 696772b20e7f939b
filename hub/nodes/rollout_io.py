"""The files of a roll-out in a hub's data folder; each is replaced as a whole."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hub.errors import OperatorNeeded
from hub.nodes.rollout_record import Order, Record, decode_order, decode_record, encode

ORDER_FILE = "node-update.json"
RECORD_FILE = "node-update-record.json"
MOST_BYTES = 4_000_000  # ten thousand nodes; more is not our file
Mark = tuple[int, int, int] | None
_Document = TypeVar("_Document", Order, Record)


class RolloutFiles:
    """A RolloutStore."""

    def __init__(self, folder: Path) -> None:
        self._order = folder / ORDER_FILE
        self._record = folder / RECORD_FILE

    def mark(self) -> Mark:
        """Return what is different after every new order or wish."""
        try:
            found = self._order.stat()
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def load_order(self) -> Order | None:
        """Return the order, if there is one. Raises OperatorNeeded."""
        return _load(self._order, decode_order)

    def load_record(self) -> Record | None:
        """Return the record, if there is one. Raises OperatorNeeded."""
        return _load(self._record, decode_record)

    def put_order(self, order: Order) -> None:
        """Replace the order. Raises OperatorNeeded."""
        _replace(self._order, encode(order))

    def put_record(self, record: Record) -> None:
        """Replace the record. Raises OperatorNeeded."""
        _replace(self._record, encode(record))


def _load(path: Path, decode: Callable[[bytes], _Document]) -> _Document | None:
    try:
        with path.open("rb") as file:
            return decode(file.read(MOST_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperatorNeeded(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        hint = "remove it, and order the update again"
        raise OperatorNeeded(f"a roll-out's file is spoilt: {error}", where=str(path), hint=hint) from None


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        hint = "free some space, or see the folder's owner"
        raise OperatorNeeded(f"cannot be written: {error.strerror}", where=str(path), hint=hint) from None
