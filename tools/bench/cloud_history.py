"""Months of telemetry of a fleet, made inside the database, with its roll-ups and latest values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

DAYS = 90
ROWS_TO_ROLL_UP = 20_000  # entries at a time, as the job may take
TENANT = "Fleet"


@dataclass(frozen=True, slots=True)
class History:
    """rows: of telemetry_tank. has_rollups: whether the functions that make them are there."""

    device_ids: Sequence[int]
    rows: int
    has_rollups: bool


def load_history(connection: psycopg.Connection[Any], rows: int, devices: int) -> History:
    """Make so many rows over 90 days up to now, roll them up, and bring the tables into shape."""
    ids = _devices(connection, devices)
    each = max(2, rows // len(ids))
    _rows(connection, ids, each)
    _latest(connection)
    has_rollups = _roll_up(connection, ids)
    # What a running server has done by itself by then.
    connection.execute("vacuum (analyze)")
    connection.execute("checkpoint")
    return History(ids, each * len(ids), has_rollups)


def add_viewer(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Make somebody who may look at the fleet, and return what their token claims."""
    found = connection.execute(
        """
        insert into public.profiles (id, email, role, tenant_id)
        select gen_random_uuid(), 'viewer@example.org', 'viewer', id from public.tenants where name = %s
        returning id
        """,
        (TENANT,),
    ).fetchone()
    return {"role": "authenticated", "sub": str(found[0]) if found else ""}


def _devices(connection: psycopg.Connection[Any], devices: int) -> list[int]:
    connection.execute("insert into public.tenants (tenant_type, name) values ('customer', %s)", (TENANT,))
    found = connection.execute(
        """
        insert into public.devices (device_key, name, kind, status, tenant_id)
        select 'tank-' || number, 'Tank ' || number, 'tank', 'active', tenants.id
        from generate_series(1, %s) as number, public.tenants where tenants.name = %s
        returning id
        """,
        (devices, TENANT),
    ).fetchall()
    return [int(row[0]) for row in found]


def _rows(connection: psycopg.Connection[Any], ids: Sequence[int], each: int) -> None:
    """Insert in the order of time, as rows arrive, without triggers: these are measured elsewhere."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("set local synchronous_commit = off")
        connection.execute(
            """
            insert into public.telemetry_tank (
              device_id, epoch, seq, recorded_at, quality, time_quality,
              water_level_cm, volume_l, temperature_c, tds_ppm, ph, battery_v
            )
            select device_id, 7, step + 1,
              now() - make_interval(days => %(days)s)
                + (step + device_id %% 97 / 97.0) * make_interval(secs => %(days)s * 86400.0 / %(each)s),
              0, 0,
              200 + 90 * sin(step / 60.0 + device_id), 9000 + (step * 7 + device_id) %% 4000,
              17 + 4 * cos(step / 60.0), 300 + (step + device_id) %% 40, 7.2 + (step %% 10) / 50.0, 3.3
            from generate_series(0, %(each)s - 1) as step, unnest(%(ids)s::integer[]) as device_id
            """,
            {"days": DAYS, "each": each, "ids": list(ids)},
        )


def _latest(connection: psycopg.Connection[Any]) -> None:
    connection.execute("analyze public.telemetry_tank")
    connection.execute(
        """
        insert into public.device_state (device_id, last_seen_at, latest)
        select device.id, newest.recorded_at, jsonb_build_object(
          'telemetry_tank',
          to_jsonb(newest) - array['device_id', 'epoch', 'seq', 'time_quality', 'received_at']
        )
        from public.devices as device
        cross join lateral (
          select * from public.telemetry_tank as row
          where row.device_id = device.id order by row.recorded_at desc limit 1
        ) as newest
        """
    )


def _roll_up(connection: psycopg.Connection[Any], ids: Sequence[int]) -> bool:
    """Make entries such as batches leave, and the buckets from them."""
    connection.execute(
        """
        insert into private.dirty_ranges (table_name, device_id, from_at, to_at)
        select 'telemetry_tank', device_id, day_at, least(day_at + interval '1 day - 1 microsecond', now())
        from unnest(%s::integer[]) as device_id, generate_series(
          date_bin('1 day', now() - make_interval(days => %s), 'epoch'), now(), interval '1 day'
        ) as day_at
        """,
        (list(ids), DAYS),
    )
    return roll_up_dirty(connection)


def roll_up_dirty(connection: psycopg.Connection[Any]) -> bool:
    """Have the job's own function do all that is to be done. False: it is not there."""
    found = connection.execute("select to_regprocedure('private.roll_up(integer)') is not null").fetchone()
    if not found or not found[0]:
        return False
    taken = 1
    while taken:
        answer = connection.execute("select private.roll_up(%s)", (ROWS_TO_ROLL_UP,)).fetchone()
        taken = int(answer[0] or 0) if answer else 0
    return True
