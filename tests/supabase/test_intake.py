"""What follows when rows arrive, from many connections at once and from those who mean harm."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.roles import Connection, Row, acting_as, count, register, row_of, upload

CONNECTIONS = 16
ROWS = 400


@pytest.fixture
def connect(committed: str) -> Callable[[], Connection]:
    return lambda: psycopg.connect(committed, row_factory=dict_row)


def all_at_once(connect: Callable[[], Connection], work: Callable[[Connection, int], None]) -> None:
    """Do the work on every connection at the same time; what one of them raises is raised here."""

    def on_its_own(number: int) -> None:
        with connect() as connection:
            work(connection, number)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(on_its_own, range(CONNECTIONS)))


def scalar(database: Connection, statement: str) -> Any:
    found = database.execute(statement.encode()).fetchone()
    assert found is not None
    return next(iter(found.values()))


def test_overlapping_batches_of_one_hub_in_any_order_neither_block_nor_repeat(
    connect: Callable[[], Connection],
) -> None:
    with connect() as owner:
        hub = register(owner, "hub", kind="hub")
        tanks = [register(owner, f"tank-{number}", hub="hub") for number in range(4)]
    rows = [row_of(tanks[seq % 4], seq, ago=timedelta(seconds=ROWS - seq), ph=7.0) for seq in range(ROWS)]

    def send(connection: Connection, number: int) -> None:
        chance = Random(number)
        for _ in range(5):
            batch = chance.sample(rows, ROWS // 2)
            # Half of them speak as the hub, half as a tank for itself.
            speaker = hub if number % 2 else tanks[number % 4]
            mine = batch if number % 2 else [row for row in batch if row["device_id"] == speaker]
            with acting_as(connection, "device", speaker):
                upload(connection, "telemetry_tank", mine)
            connection.commit()

    all_at_once(connect, send)
    with connect() as owner, acting_as(owner, "device", hub):
        upload(owner, "telemetry_tank", rows)
    with connect() as owner:
        assert count(owner, "telemetry_tank") == ROWS
        newest = {
            row["device_id"]: row["latest"]["telemetry_tank"]["recorded_at"]
            for row in owner.execute("select device_id, latest from public.device_state").fetchall()
        }
        assert len(newest) == 4
        assert scalar(
            owner,
            "select bool_and(last_seen_at = (select max(recorded_at) from "
            "public.telemetry_tank t where t.device_id = s.device_id)) from public.device_state s",
        )
        assert scalar(owner, "select count(*) from public.completeness() where duplicates > 0") == 0


def test_no_change_of_a_state_is_lost_between_connections(connect: Callable[[], Connection]) -> None:
    with connect() as owner:
        hubs = [register(owner, f"hub-{number}", kind="hub") for number in range(CONNECTIONS)]

    def send(connection: Connection, number: int) -> None:
        for seq in range(10):
            with acting_as(connection, "device", hubs[number]):
                upload(connection, "device_heartbeats", [row_of(hubs[number], seq, cpu_percent=seq)])
            connection.commit()

    all_at_once(connect, send)
    with connect() as owner:
        assert scalar(owner, "select min(version) || '-' || max(version) from public.device_state") == "10-10"
        assert scalar(owner, "select sum(rows) from private.heartbeat_hours") == 10 * CONNECTIONS


def test_a_thousand_heartbeats_an_hour_are_a_fault(database: Connection) -> None:
    hub = register(database, "hub", kind="hub")
    rows = [row_of(hub, seq, ago=timedelta(hours=2)) for seq in range(1001)]
    # The same thousand again is not another thousand.
    for _ in range(2):
        with acting_as(database, "device", hub):
            upload(database, "device_heartbeats", rows[:1000])
    refused = pytest.raises(psycopg.errors.RaiseException, match="more than 1000 heartbeats")
    with refused, acting_as(database, "device", hub):
        upload(database, "device_heartbeats", rows[1000:])
    with acting_as(database, "device", hub):
        upload(database, "device_heartbeats", [row_of(hub, 1001)])


@pytest.mark.parametrize(
    "bad",
    [
        {"recorded_at": "1970-01-01T00:00:00Z"},
        {"recorded_at": "9999-12-31T23:59:59Z"},
        {"recorded_at": "infinity"},
        {"recorded_at": None},
        {"ph": "NaN"},
        {"ph": "Infinity"},
        {"ph": {"$gt": 0}},
        {"volume_l": 1e300},
        {"seq": 2**63},
        {"device_id": "1; drop table public.devices"},
        {"device_id": 2**31},
        {"epoch": -1},
        {"quality": "'; select pg_sleep(10); --"},
    ],
    ids=str,
)
def test_one_hostile_row_is_refused_with_its_batch_and_leaves_nothing(database: Connection, bad: Row) -> None:
    hub = register(database, "hub", kind="hub")
    good = row_of(hub, 1, ph=7.0, volume_l=10)
    before = scalar(database, "select count(*) from private.dirty_ranges")
    with pytest.raises(psycopg.Error) as refusal, acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [good, {**good, "seq": 2, **bad}])
    # Classes the hub answers by looking for the row it was: 22, 23 and the policies' 42501.
    assert refusal.value.sqlstate is not None
    assert refusal.value.sqlstate[:2] in {"22", "23"} or refusal.value.sqlstate == "42501"
    assert count(database, "telemetry_tank") == 0
    assert scalar(database, "select count(*) from private.dirty_ranges") == before
    assert scalar(database, "select count(*) from public.device_state") == 0


def test_texts_are_bounded_and_stay_texts(database: Connection) -> None:
    hub = register(database, "hub", kind="hub")
    evil = "Robert'); drop table public.error_logs; -- \\ \" {{7*7}} <script>"
    error = row_of(hub, 1, level="error", code="x", message=evil)
    with acting_as(database, "device", hub):
        upload(database, "error_logs", [error])
    assert scalar(database, "select message from public.error_logs") == evil
    with pytest.raises(psycopg.errors.CheckViolation), acting_as(database, "device", hub):
        upload(database, "error_logs", [{**error, "seq": 2, "message": "x" * 501}])


def test_a_batch_is_stored_where_realtime_may_not_be_used(database: Connection) -> None:
    """The schema is there, but the owner of the trigger has no right to it."""
    hub = register(database, "hub", kind="hub")
    database.execute("create schema realtime authorization pg_database_owner")
    database.execute(
        "create function realtime.send(jsonb, text, text, boolean) returns void language sql as 'select'"
    )
    database.execute("revoke all on schema realtime from public, hosted_admin")
    database.execute("alter function private.note_inserted() owner to hosted_admin")
    assert scalar(database, "select has_schema_privilege('hosted_admin', 'realtime', 'usage')") is False
    with acting_as(database, "device", hub):
        upload(database, "telemetry_tank", [row_of(hub, 1)])
    assert count(database, "telemetry_tank") == 1


def test_the_latest_values_are_the_newest_and_not_the_last_to_arrive(database: Connection) -> None:
    hub = register(database, "hub", kind="hub")
    for seq, minutes in ((3, 1), (1, 30), (2, 10)):
        with acting_as(database, "device", hub):
            upload(
                database, "telemetry_tank", [row_of(hub, seq, ago=timedelta(minutes=minutes), volume_l=seq)]
            )
    found = database.execute("select latest, version from public.device_state").fetchone()
    assert found is not None
    assert found["version"] == 3
    assert found["latest"]["telemetry_tank"]["volume_l"] == 3
    assert "seq" not in json.dumps(found["latest"])
