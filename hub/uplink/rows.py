"""Batch columns to the JSON array PostgREST inserts.

Written column by column: one pass of the JSON encoder over each, then the pieces of all rows are joined.
A column with one and the same value in every row is written into the constant text between the pieces. One
that is null throughout is left out: it is among the request's explicit columns, so PostgREST makes it null.
Source: PostgREST, "Tables and Views", Bulk Insert, Specifying Columns; Upsert, on_conflict.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
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


def insert_of(kind: Kind, body: bytes, bearer: str) -> Request:
    """Return the request that inserts the rows of one kind and ignores those the cloud already has."""
    columns = ",".join(columns_of(kind))
    path = f"/rest/v1/{kind.table}?columns={columns}&on_conflict={','.join(IDENTITY)}"
    return Request("POST", path, body, bearer, PREFER)


def devices_in(batch: Batch, kind: Kind, row: int) -> list[str]:
    """Return the device keys one row speaks of: its own, and those in its fields."""
    named = [column[row] for column in _device_columns(batch, kind)]
    return [key for key in named if isinstance(key, str)]


def rows_with_unknown_devices(batch: Batch, kind: Kind, ids: Mapping[str, int]) -> dict[int, str]:
    """Return the rows that speak of a device without a number: index and key."""
    unknown: dict[int, str] = {}
    for column in _device_columns(batch, kind):
        if all(key is None or key in ids for key in set(column)):
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
    """Return the array. Each piece of text stands before the values of one column."""
    count = len(columns[0])
    texts: list[bytes] = []
    values: list[list[bytes]] = []
    text = b"},{"
    for field, column in zip(fields, columns, strict=True):
        name = b'"%b":' % field.name.encode()
        if _is_constant(column):
            if column[0] is not None:
                text += name + _ENCODERS[field.type](column[:1], ids)[0] + b","
            continue
        texts.append(text + name)
        values.append(_ENCODERS[field.type](column, ids))
        text = b","
    if not values:
        row = text[2:-1] + b"}"
        return b"[" + b",".join([row] * count) + b"]"
    return _interleave(texts, values, text[:-1], count)


def _interleave(texts: list[bytes], values: list[list[bytes]], tail: bytes, count: int) -> bytes:
    width = 2 * len(values)
    row = [b""] * width
    row[::2] = texts
    row[0] = tail + texts[0]
    pieces = row * count
    for place, column in enumerate(values):
        pieces[2 * place + 1 :: width] = column
    pieces[0] = texts[0][2:]
    return b"[" + b"".join(pieces) + tail + b"}]"


def _is_constant(column: Sequence[Value]) -> bool:
    first = column[0]
    # The cheap comparison first: most columns differ between their ends.
    return column[-1] == first and column.count(first) == len(column)


def _numbers(column: Sequence[Value], _: Mapping[str, int]) -> list[bytes]:
    try:
        plain = column if isinstance(column, list | tuple) else list(column)
        pieces = orjson.dumps(plain)[1:-1].split(b",")
    except TypeError:
        return _texts(column, _)
    # A text among the numbers may hold commas; the cloud shall see it whole and refuse it.
    return pieces if len(pieces) == len(column) else _texts(column, _)


def _integers(column: Sequence[Value], ids: Mapping[str, int]) -> list[bytes]:
    # Postgres takes no "12.0" for an integer, and a mean of whole numbers is one.
    if float in set(map(type, column)):
        column = [_rounded(value) for value in column]
    return _numbers(column, ids)


def _rounded(value: Value) -> Value:
    try:
        return round(value) if isinstance(value, float) else value
    except (ValueError, OverflowError):  # not a number, or infinite
        return None


def _texts(column: Sequence[Value], _: Mapping[str, int]) -> list[bytes]:
    return [_text(value) for value in column]


def _text(value: Value) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or more than 64 bits: the cloud says what is wrong with it
        return json.dumps(value).encode()


def _devices(column: Sequence[Value], ids: Mapping[str, int]) -> list[bytes]:
    number_of = {key: b"%d" % ids[key] if isinstance(key, str) else _NULL for key in set(column)}
    return list(map(number_of.__getitem__, column))


def _instants(column: Sequence[Value], _: Mapping[str, int]) -> list[bytes]:
    """Return ISO 8601 in UTC with milliseconds. Neighbours mostly share their second, so it is kept."""
    pieces: list[bytes] = []
    add = pieces.append
    kept_ms = -1_000_000
    second = b""
    for value in cast(Sequence[int | None], column):
        if value is None:
            add(_NULL)
            continue
        since_ms = value - kept_ms
        if not 0 <= since_ms < 1000:
            since_ms = value % 1000
            kept_ms = value - since_ms
            second = _second(kept_ms // 1000)
        add(second + _MILLISECONDS[since_ms])
    return pieces


def _second(unix_s: int) -> bytes:
    try:
        return b'"' + (_EPOCH + timedelta(seconds=unix_s)).isoformat().encode()
    except OverflowError:
        # No such year. The cloud refuses the row and its reason shows the number.
        return b'"%d s' % unix_s


_ENCODERS: Mapping[str, Callable[[Sequence[Value], Mapping[str, int]], list[bytes]]] = {
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
