"""Tenants, devices and rules for tests about alerts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.supabase.roles import Connection, Row, upload

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


@contextmanager
def cloned(server_url: str, template_url: str, name: str) -> Iterator[str]:
    """A database of its own with the migrations, for tests in which several connections see one another."""
    template = template_url.rpartition("/")[2]
    with psycopg.connect(server_url, autocommit=True) as connection:
        statement = sql.SQL("create database {} template {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield f"{server_url.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def connect(url: str) -> Connection:
    return psycopg.connect(url, row_factory=dict_row, autocommit=True)


def insert(database: Connection, table: str, **values: Any) -> Any:
    """Insert a row and return its id."""
    statement = sql.SQL("insert into {} ({}) values ({}) returning id").format(
        sql.Identifier("public", table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    found = database.execute(statement, tuple(values.values())).fetchone()
    assert found is not None
    return found["id"]


def new_tenant(
    database: Connection, name: str, parent_id: int | None = None, tenant_type: str = "customer"
) -> int:
    return int(insert(database, "tenants", name=name, parent_id=parent_id, tenant_type=tenant_type))


def new_device(database: Connection, tenant_id: int, device_key: str, **values: Any) -> int:
    """Make a device in service."""
    given = {"kind": "tank", "status": "active", "name": device_key, **values}
    return int(insert(database, "devices", tenant_id=tenant_id, device_key=device_key, **given))


def new_rule(database: Connection, tenant_id: int, **values: Any) -> int:
    """Make a rule; without values: pH above 8, cleared at 7.5."""
    if values.get("rule_type", "threshold") in {"threshold", "rate"}:
        values = {"is_above": True, "threshold": 8, **values}
    given = {
        "name": "too high",
        "rule_type": "threshold",
        "table_name": "telemetry_tank",
        "metric": "ph",
        "cooldown_s": 0,
        **values,
    }
    return int(insert(database, "alert_rules", tenant_id=tenant_id, **given))


def reading(device_id: int, seq: int, at_s: float, **values: Any) -> Row:
    """Return a row of telemetry recorded so many seconds after START."""
    return {
        "device_id": device_id,
        "epoch": 1,
        "seq": seq,
        "recorded_at": (START + timedelta(seconds=at_s)).isoformat(),
        "quality": 0,
        "time_quality": 0,
        **values,
    }


def send_ph(database: Connection, device_id: int, series: Sequence[tuple[float, float | None]]) -> None:
    """Upload one batch of pH readings, given as seconds after START and value."""
    rows = [reading(device_id, int(at_s * 1000), at_s, ph=value) for at_s, value in series]
    upload(database, "telemetry_tank", rows)


def alerts(database: Connection, **equal: Any) -> list[Row]:
    """Return the alerts whose columns have these values, the oldest first."""
    rows = database.execute("select * from public.alerts order by raised_at, id").fetchall()
    return [row for row in rows if all(row[name] == value for name, value in equal.items())]


def one(database: Connection, query: str, *values: Any) -> Any:
    """Return the one value of a query."""
    found = database.execute(query.encode(), values).fetchone()
    assert found is not None
    return next(iter(found.values()))


def seconds(at: datetime | None) -> float | None:
    """Return an instant as seconds after START."""
    return None if at is None else (at - START).total_seconds()
