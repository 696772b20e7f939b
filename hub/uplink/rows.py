"""Batch columns to the JSON array PostgREST inserts.

Written column by column: one pass of the JSON encoder over each, then the pieces of all rows are joined.
A column with one and the same value in every row is written into the constant text between the pieces. One
that is null throughout is left out: it is among the request's explicit columns, so PostgREST makes it null.
Source: PostgREST, "Tables and Views", Bulk Insert, Specifying Columns; Upsert, on_conflict.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import cast

import orjson

from hub.ports import Batch, Value
from hub.uplink.exchange import Request
from shared_schema.metrics import Field, Kind
from shared_schema.records import IDENTITY, ROW_FIELDS, columns_of

# merge-duplicates would let a late copy overwrite what is stored.
PREFER = "resolution=ignore-duplicates,return=minimal"

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  without a zone it prints none
_MILLISECONDS = tuple(b'.%03dZ"' % ms for ms in range(1000))
_NULL = b"null"
_MARK = b"\0"  # stands in no JSON: control characters are escaped there


def insert_of(kind: Kind, body: bytes, bearer: str) -> Request:
    """Return the request that inserts the rows of one kind and ignores those the cloud already has."""
    columns = ",".join(columns_of(kind))
    path = f"/rest/v1/{kind.table}?columns={columns}&on_conflict={','.join(IDENTITY)}"
    return Request("POST", path, body, bearer, PREFER)


def rows_with_unknown_devices(batch: Batch, kind: Kind, ids: Mapping[str, int]) -> dict[int, str]:
    """Return the rows that speak of a device without a number: index and key."""
    unknown: dict[int, str] = {}
    for column in _device_columns(batch, kind):
        if ids.keys() >= set(column):
            continue
        unknown.update(
            (row, str(key)) for row, key in enumerate(column) if key is not None and key not in ids
        )
    return unknown


def body_of(batch: Batch, kind: Kind, rows: Sequence[int], ids: Mapping[str, int]) -> bytes:
    """Return the chosen rows as a JSON array. Every device they speak of must be in ids."""
    if not rows:
        return b"[]"
    fields = (*ROW_FIELDS, *kind.fields)
    columns: Sequence[Sequence[Value]] = (
        batch.device_keys,
        batch.epochs,
        batch.seqs,
        batch.recorded_at_ms,
        batch.qualities,
        batch.time_qualities,
        *batch.columns,
    )
    if len(rows) != len(batch):
        columns = [[column[row] for row in rows] for column in columns]
    return _join(fields, columns, ids)


def _join(fields: Sequence[Field], columns: Sequence[Sequence[Value]], ids: Mapping[str, int]) -> bytes:
    """Return the array. Each piece is a value and the text before it, with what is the same in every row."""
    pieces: list[list[bytes]] = []
    text = b"{"
    for field, column in zip(fields, columns, strict=True):
        name = b'"%b":' % field.name.encode()
        encode = _ENCODERS[field.type]
        if not _is_constant(column):
            pieces.append(encode(text + name, column, ids))
            text = b","
        elif column[0] is not None:
            text += encode(name, column[:1], ids)[0] + b","
    end = text[:-1] + b"}"
    if not pieces:
        return b"[" + b",".join([end] * len(columns[0])) + b"]"
    pieces.append([end + b","] * len(columns[0]))
    # Into the pieces, so that the whole is written only once.
    pieces[0][0] = b"[" + pieces[0][0]
    pieces[-1][-1] = end + b"]"
    return _interleave(pieces)


def _interleave(columns: list[list[bytes]]) -> bytes:
    """Return the pieces of all columns, row by row."""
    width = len(columns)
    flat = [b""] * (width * len(columns[0]))
    for place, column in enumerate(columns):
        flat[place::width] = column
    return b"".join(flat)


def _is_constant(column: Sequence[Value]) -> bool:
    first = column[0]
    # The cheap comparison first: most columns differ between their ends.
    return column[-1] == first and column.count(first) == len(column)


def _numbers(text: bytes, column: Sequence[Value], ids: Mapping[str, int]) -> list[bytes]:
    try:
        encoded = orjson.dumps(column if isinstance(column, list | tuple) else list(column))
    except TypeError:
        return _texts(text, column, ids)
    pieces = (text + encoded[1:-1].replace(b",", _MARK + text)).split(_MARK)
    # A text among the numbers may hold commas; the cloud shall see it whole and refuse it.
    return pieces if len(pieces) == len(column) else _texts(text, column, ids)


def _integers(text: bytes, column: Sequence[Value], ids: Mapping[str, int]) -> list[bytes]:
    # Postgres takes no "12.0" for an integer, and a mean of whole numbers is one.
    if float in set(map(type, column)):
        column = [_rounded(value) for value in column]
    return _numbers(text, column, ids)


def _rounded(value: Value) -> Value:
    try:
        return round(value) if isinstance(value, float) else value
    except (ValueError, OverflowError):  # not a number, or infinite
        return None


def _texts(text: bytes, column: Sequence[Value], _: Mapping[str, int]) -> list[bytes]:
    return [text + _text(value) for value in column]


def _text(value: Value) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or more than 64 bits: the cloud says what is wrong with it
        return json.dumps(value).encode()


def _devices(text: bytes, column: Sequence[Value], ids: Mapping[str, int]) -> list[bytes]:
    piece_of = {key: text + (b"%d" % ids[key] if isinstance(key, str) else _NULL) for key in set(column)}
    return list(map(piece_of.__getitem__, column))


def _instants(text: bytes, column: Sequence[Value], _: Mapping[str, int]) -> list[bytes]:
    """Return ISO 8601 in UTC with milliseconds.

    Rows mostly come in the order of time: then all of one second are written in one go.
    """
    instants = cast(Sequence[int | None], column)
    if None in instants:
        return [text + (_NULL if instant is None else _one_instant(instant)) for instant in instants]
    rising = cast(list[int], list(instants))
    if rising != sorted(rising):
        return [text + _one_instant(instant) for instant in rising]
    pieces: list[bytes] = []
    start = 0
    while start < len(rising):
        kept_ms = rising[start] - rising[start] % 1000
        end = bisect_left(rising, kept_ms + 1000, start)
        second = text + _second(kept_ms // 1000)
        pieces += [second + _MILLISECONDS[instant - kept_ms] for instant in rising[start:end]]
        start = end
    return pieces


def _one_instant(instant: int) -> bytes:
    return _second(instant // 1000) + _MILLISECONDS[instant % 1000]


@lru_cache(maxsize=4096)
def _second(unix_s: int) -> bytes:
    try:
        return b'"' + (_EPOCH + timedelta(seconds=unix_s)).isoformat().encode()
    except OverflowError:
        # No such year. The cloud refuses the row and its reason shows the number.
        return b'"%d s' % unix_s


_Encoder = Callable[[bytes, Sequence[Value], Mapping[str, int]], list[bytes]]
_ENCODERS: Mapping[str, _Encoder] = {
    "device": _devices,
    "integer": _integers,
    "float": _numbers,
    "text": _texts,
    "instant": _instants,
}


def _device_columns(batch: Batch, kind: Kind) -> list[Sequence[Value]]:
    named = [
        column for field, column in zip(kind.fields, batch.columns, strict=True) if field.type == "device"
    ]
    return [batch.device_keys, *named]
