"""A chart says the same from rows, hours and days, and says where there is nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.roles import Connection, acting_as_person, new_person, register, upload
from tests.supabase.test_retention import keep, retire
from tests.supabase.test_rollups import MIDNIGHT, at, roll_up

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def tank(database: Connection) -> int:
    return register(database, "tank")


def chart(
    database: Connection,
    device_id: int,
    start: datetime,
    length: timedelta,
    points: int = 300,
    metric: str = "volume_l",
    table: str | None = None,
) -> list[dict[str, Any]]:
    return database.execute(
        "select * from public.telemetry_chart(%s, %s, %s, %s, %s, %s)",
        (device_id, metric, start, start + length, points, table),
    ).fetchall()


def filled(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["mean"], row["min"], row["max"], row["readings"]) for row in rows if row["readings"]]


def source(database: Connection, width: timedelta, table: str = "telemetry_tank", age_days: int = 0) -> str:
    found = database.execute(
        "select private.chart_source(rollups, now() - make_interval(days => %s), %s) as source"
        " from private.rollups where table_name = %s",
        (age_days, width, table),
    ).fetchone()
    assert found is not None
    return str(found["source"])


def test_buckets_have_one_width_and_cover_the_whole_range(database: Connection, tank: int) -> None:
    upload(
        database,
        "telemetry_tank",
        [at(tank, 1, 61, volume_l=4), at(tank, 2, 62, volume_l=8), at(tank, 3, 200)],
    )
    rows = chart(database, tank, MIDNIGHT, timedelta(hours=5), points=60)
    assert [row["bucket_at"] for row in rows] == [MIDNIGHT + timedelta(minutes=5 * n) for n in range(60)]
    assert filled(rows) == [(6, 4, 8, 2)]
    assert [row for row in rows if row["mean"] is None] == [row for row in rows if row["readings"] == 0]


def test_takes_the_coarsest_table_with_enough_points(database: Connection) -> None:
    assert source(database, timedelta(minutes=5)) == "raw"
    assert source(database, timedelta(minutes=29)) == "raw"
    assert source(database, timedelta(hours=7)) == "fine"
    assert source(database, timedelta(hours=12)) == "daily"
    assert source(database, timedelta(minutes=3), "device_heartbeats") == "fine"


def test_takes_a_coarser_one_where_the_rows_are_gone(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [at(tank, 1, -60 * 24 * 60, volume_l=5)])
    roll_up(database)
    keep(database, "telemetry_tank", 20)
    retire(database)
    assert source(database, timedelta(minutes=5), age_days=60) == "fine"
    rows = chart(database, tank, MIDNIGHT - timedelta(days=60, hours=1), timedelta(hours=3))
    assert filled(rows) == [(5, 5, 5, 1)]


ROWS = st.lists(
    st.tuples(st.integers(0, 40 * 24 * 60 - 1), st.none() | st.integers(0, 1000)), min_size=1, max_size=25
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=ROWS,
    after=ROWS,
    start_h=st.integers(0, 1000),
    length_h=st.integers(1, 1000),
    points=st.integers(1, 400),
)
def test_agrees_with_the_rows_whether_they_are_rolled_up_or_not(
    database: Connection,
    tank: int,
    before: list[Any],
    after: list[Any],
    start_h: int,
    length_h: int,
    points: int,
) -> None:
    start = MIDNIGHT - timedelta(days=40) + timedelta(hours=start_h, minutes=7)
    with database.transaction(force_rollback=True):
        for rows in (before, after):
            first = 1 if rows is before else 1000
            upload(
                database,
                "telemetry_tank",
                [
                    at(tank, first + n, minute - 40 * 24 * 60, volume_l=volume)
                    for n, (minute, volume) in enumerate(rows)
                ],
            )
            if rows is before:
                roll_up(database)
        found = chart(database, tank, start, timedelta(hours=length_h), points)
    assert (
        points / 2 - 1 <= len(found) <= points + 2 or length_h * 3600 < points or len(found) >= length_h / 24
    )
    width = found[1]["bucket_at"] - found[0]["bucket_at"] if len(found) > 1 else None
    assert found[0]["bucket_at"] <= start
    values: dict[datetime, list[int]] = {}
    for minute, volume in [*before, *after]:
        moment = MIDNIGHT + timedelta(minutes=minute - 40 * 24 * 60)
        if width is not None and volume is not None:
            values.setdefault(EPOCH + (moment - EPOCH) // width * width, []).append(volume)
    if width is not None:
        for row in found:
            here = values.get(row["bucket_at"], [])
            assert row["readings"] == len(here)
            if here:
                assert (row["min"], row["max"]) == (min(here), max(here))
                assert row["mean"] == pytest.approx(sum(here) / len(here))


def test_a_metric_of_several_tables_is_that_of_the_kind(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [at(tank, 1, 0, temperature_c=20)])
    upload(database, "device_heartbeats", [at(tank, 2, 0, temperature_c=60)])
    hour = timedelta(hours=1)
    assert filled(chart(database, tank, MIDNIGHT, hour, metric="temperature_c")) == [(20, 20, 20, 1)]
    beats = chart(database, tank, MIDNIGHT, hour, metric="temperature_c", table="device_heartbeats")
    assert filled(beats) == [(60, 60, 60, 1)]
    assert filled(chart(database, tank, MIDNIGHT, hour, metric="cpu_percent")) == []


def test_a_device_of_no_kind_shows_what_it_sends(database: Connection) -> None:
    node = register(database, "node", kind="node")
    upload(database, "telemetry_flow", [at(node, 1, 0, temperature_c=9)])
    assert filled(chart(database, node, MIDNIGHT, timedelta(hours=1), metric="temperature_c")) == [
        (9, 9, 9, 1)
    ]


@pytest.mark.parametrize(
    "metric", ["nonsense", "device_id", "seq", "volume_l; drop table x", "received_at", ""]
)
def test_only_metrics_can_be_drawn(database: Connection, tank: int, metric: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn), database.transaction():
        chart(database, tank, MIDNIGHT, timedelta(hours=1), metric=metric)


@pytest.mark.parametrize(("points", "hours"), [(0, 1), (1000, 1), (10, 0), (10, -1), (10, 24 * 366 * 50)])
def test_what_makes_no_chart_is_refused(database: Connection, tank: int, points: int, hours: int) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue), database.transaction():
        chart(database, tank, MIDNIGHT, timedelta(hours=hours), points)


def test_only_who_may_read_the_device_sees_its_chart(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [at(tank, 1, 0, volume_l=5)])
    owner = database.execute("select tenant_id from public.devices where id = %s", (tank,)).fetchone()
    assert owner is not None
    with acting_as_person(database, new_person(database, "viewer", owner["tenant_id"])):
        assert filled(chart(database, tank, MIDNIGHT, timedelta(hours=1))) == [(5, 5, 5, 1)]
    stranger = new_person(database, "admin", None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as_person(database, stranger):
        chart(database, tank, MIDNIGHT, timedelta(hours=1))
