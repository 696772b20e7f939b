"""Acting on the database as the roles of the project do, the way the REST server does it for them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

Connection = psycopg.Connection[dict[str, Any]]
Row = dict[str, Any]

SECRET_HASH = "ab" * 32


def register(database: Connection, device_key: str, hub: str | None = None, kind: str = "tank") -> int:
    """Register a device and return its number."""
    found = database.execute(
        "select public.register_device(%s, %s, %s, %s) as id",
        (device_key, kind, None if hub else SECRET_HASH, hub),
    ).fetchone()
    assert found is not None
    return int(found["id"])


def new_tenant(database: Connection, tenant_type: str, name: str, parent_id: int | None = None) -> int:
    """Make a tenant and return its number."""
    found = database.execute(
        "insert into public.tenants (tenant_type, name, parent_id) values (%s, %s, %s) returning id",
        (tenant_type, name, parent_id),
    ).fetchone()
    assert found is not None
    return int(found["id"])


def new_person(database: Connection, role: str, tenant_id: int | None) -> UUID:
    """Make somebody who can sign in, with this role in this tenant, and return their id."""
    user_id = uuid4()
    database.execute(
        "insert into public.profiles (id, email, role, tenant_id) values (%s, %s, %s, %s)",
        (user_id, f"{user_id}@example.org", role, tenant_id),
    )
    return user_id


@contextmanager
def acting_as(database: Connection, role: str, device_id: int | None = None) -> Iterator[None]:
    """Be another role, with the claims of a device's token. What fails inside is undone."""
    with _claiming(database, {"role": role, "device_id": device_id}):
        yield


@contextmanager
def acting_as_person(database: Connection, user_id: UUID | str) -> Iterator[None]:
    """Be somebody who is signed in. What they may is in their profile. What fails inside is undone."""
    with _claiming(database, {"role": "authenticated", "sub": str(user_id)}):
        yield


@contextmanager
def _claiming(database: Connection, claims: dict[str, Any]) -> Iterator[None]:
    try:
        with database.transaction():
            database.execute(
                "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (claims["role"], json.dumps(claims)),
            )
            yield
    finally:
        database.execute(
            "select set_config('role', 'none', true), set_config('request.jwt.claims', '', true)"
        )


def upload(database: Connection, table: str, rows: Sequence[Row], *, is_ignoring: bool = True) -> None:
    """Insert as PostgREST does: the body unpacked by the server, and columns named."""
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    ending = "on conflict (device_id, epoch, seq, recorded_at) do nothing" if is_ignoring else ""
    statement = sql.SQL(
        "insert into {table} ({columns}) select {columns}"
        " from json_populate_recordset(null::{table}, %s::json) {ending}"
    ).format(table=sql.Identifier("public", table), columns=columns, ending=sql.SQL(ending))
    database.execute(statement, (json.dumps(rows),))


def row_of(device_id: int, seq: int, *, ago: timedelta = timedelta(), epoch: int = 7, **values: Any) -> Row:
    """Return a row of telemetry_tank, recorded some time ago, with these values."""
    return {
        "device_id": device_id,
        "epoch": epoch,
        "seq": seq,
        "recorded_at": (datetime.now(UTC) - ago).isoformat(),
        "quality": 0,
        "time_quality": 0,
        **values,
    }


def count(database: Connection, table: str) -> int:
    """Return how many rows a table has, seen as its owner."""
    found = database.execute(
        sql.SQL("select count(*) as rows from {}").format(sql.Identifier("public", table))
    ).fetchone()
    assert found is not None
    return int(found["rows"])
