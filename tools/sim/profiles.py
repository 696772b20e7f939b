"""Transmitter profiles, read for the slave's side: what a value looks like in its registers.

Reads the same files as the hub and shares no code with it, so that encoder and decoder check each other.
"""

import struct
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, Problem
from shared_schema.metrics import kind_named
from tools.sim.line import Line

FOLDER = Path(__file__).resolve().parents[2] / "hub" / "modbus" / "profiles"

_FORMATS = {
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "float32": "f",
    "float64": "d",
}
_LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Point:
    """One value in a slave's tables.

    wrap: the raw value at which a counter starts over. block: first address and count of the only read that
    the device answers for it.
    """

    metric: str
    table: str
    address: int
    type: str
    order: str = ""
    scale: float = 1.0
    offset: float = 0.0
    bit: int | None = None
    mask: int | None = None
    length: int = 1
    wrap: int | None = None
    block: tuple[int, int] | None = None

    @property
    def is_bits(self) -> bool:
        """Return whether the point lives in a table of single bits."""
        return self.table in ("coil", "discrete")

    @property
    def is_part(self) -> bool:
        """Return whether the point shares its registers with others."""
        return self.bit is not None or self.mask is not None

    @property
    def count(self) -> int:
        """Return how many registers, or bits, it takes."""
        if self.is_bits:
            return 1
        return self.length if self.type == "string" else struct.calcsize(">" + _FORMATS[self.type]) // 2

    def words(self, value: float | str, before: Sequence[int] = ()) -> list[int]:
        """Return the registers, or the bit, that say value. before: what they hold, for a part of them."""
        if self.is_bits:
            return [int(bool(value))]
        if isinstance(value, str):
            return _words(self._ordered(value.encode("ascii", "replace")[: 2 * self.count]))
        raw = (value - self.offset) / self.scale
        if self.is_part:
            return self._merged(round(raw), before or [0] * self.count)
        return _words(self._ordered(self._packed(raw)))

    def _packed(self, raw: float) -> bytes:
        form = _FORMATS[self.type]
        if self.wrap is not None:
            raw %= self.wrap
        if form in "fd":
            return struct.pack(">" + form, raw)
        if self.wrap is not None:
            return struct.pack(">" + form, int(raw))
        low, high = _bounds(form)
        return struct.pack(">" + form, min(max(round(raw), low), high))

    def _ordered(self, data: bytes) -> bytes:
        letters = self.order or _LETTERS[: 2 if self.type == "string" else 2 * self.count]
        places = [_LETTERS.index(letter) for letter in letters]
        padded = data.ljust(2 * self.count, b"\0")
        steps = range(0, len(padded), len(places))
        return bytes(padded[start + place] for start in steps for place in places)

    def _restored(self, words: Sequence[int]) -> int:
        data = b"".join(word.to_bytes(2, "big") for word in words)
        letters = self.order or _LETTERS[: len(data)]
        return int.from_bytes(bytes(data[letters.index(letter)] for letter in sorted(letters)), "big")

    def _merged(self, part: int, before: Sequence[int]) -> list[int]:
        mask = self.mask if self.mask is not None else 1 << (self.bit or 0)
        shift = (mask & -mask).bit_length() - 1
        whole = (self._restored(before) & ~mask) | (part << shift & mask)
        return _words(self._ordered(whole.to_bytes(2 * self.count, "big")))


@dataclass(frozen=True, slots=True)
class Profile:
    """What a simulated slave needs to know of a transmitter.

    rest_s: the pause it needs between its reply and the next request.
    """

    name: str
    kind: str
    line: Line
    address: int
    max_registers: int
    max_bits: int
    rest_s: float
    points: tuple[Point, ...]


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the profiles there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


@cache
def load(name: str, folder: Path = FOLDER) -> Profile:
    """Read a profile by its name, or by the path of its file. Raises: ConfigError."""
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return _profile(path.stem, document)
    except FileNotFoundError:
        hint = f"there are: {', '.join(names(folder)) or 'none'}"
        raise ConfigError([Problem(str(path), "profile", f"no profile called {name!r}", hint)]) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        hint = "see the other files in the folder"
        raise ConfigError(
            [Problem(str(path), "profile", f"{type(error).__name__}: {error}", hint)]
        ) from error


def _profile(name: str, document: Mapping[str, Any]) -> Profile:
    bus, limits = document.get("bus", {}), document.get("limits", {})
    return Profile(
        name=name,
        kind=kind_named(document["kind"]).name,
        line=Line(bus.get("baud", 9600), bus.get("parity", "none"), bus.get("stop_bits", 1)),
        address=bus.get("address", 1),
        max_registers=limits.get("max_registers", 125),
        max_bits=limits.get("max_bits", 2000),
        rest_s=limits.get("turnaround_ms", 0) / 1000,
        points=tuple(_point(entry) for entry in document.get("point", ())),
    )


def _point(entry: Mapping[str, Any]) -> Point:
    known = {key: entry[key] for key in Point.__slots__ if key in entry}
    if "block" in known:
        first, count = known["block"]
        known["block"] = first, count
    point = Point(**{"type": "u16", **known})
    point.words(0.0)
    return point


def _words(data: bytes) -> list[int]:
    return [int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2)]


def _bounds(form: str) -> tuple[int, int]:
    bits = 8 * struct.calcsize(">" + form)
    return (0, 2**bits - 1) if form.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
