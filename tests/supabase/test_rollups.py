"""Hours and days are what their rows say, in whatever order those came and however often the job ran."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_schema.metrics import KINDS, Metric
from tests.supabase.roles import (
    Connection,
    Row,
    acting_as_person,
    new_person,
    register,
    row_of,
    upload,
)

# Two days at whose border hours, days and five minutes all change.
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
ASPECTS = {"mean": "avg({0})", "min": "min({0})", "max": "max({0})", "count": "count({0})"}
TELEMETRY = {kind.table: tuple(field.name for field in kind.fields) for kind in KINDS if kind.is_telemetry}
MACHINE = (
    "cpu_percent", "ram_percent", "storage_percent", "temperature_c", "uptime_s", "queue_length",
    "rssi_dbm", "free_memory_bytes", "battery_v", "clock_offset_ms",
)  # fmt: skip


@pytest.fixture
def tanks(database: Connection) -> tuple[int, int]:
    return register(database, "tank"), register(database, "cistern")


def at(device_id: int, seq: int, minutes: float, **values: Any) -> Row:
    """Return a row recorded this long after midnight."""
    recorded_at = MIDNIGHT + timedelta(minutes=minutes)
    return {**row_of(device_id, seq, **values), "recorded_at": recorded_at.isoformat()}


def roll_up(database: Connection, batch_size: int = 5000) -> int:
    found = database.execute("select private.roll_up(%s) as entries", (batch_size,)).fetchone()
    assert found is not None
    return int(found["entries"])


def kept(database: Connection, table: str) -> list[Row]:
    return database.execute(
        psycopg.sql.SQL("select * from public.{} order by device_id, bucket_at").format(
            psycopg.sql.Identifier(table)
        )
    ).fetchall()


def recomputed(
    database: Connection, table: str, metrics: tuple[str, ...], width: str, schema: str = "public"
) -> list[Row]:
    """Group all rows in the plainest way."""
    columns = [
        f"{how.format(metric)} as {metric}_{aspect}" for metric in metrics for aspect, how in ASPECTS.items()
    ]
    return database.execute(
        f"""
        select device_id, date_bin(%s::interval, recorded_at, 'epoch') as bucket_at, count(*) as readings,
          {", ".join(columns)}
        from {schema}.{table} group by 1, 2 order by 1, 2
        """,  # type: ignore[arg-type]
        (width,),
    ).fetchall()


def assert_alike(found: list[Row], wanted: list[Row]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert {name: one[name] for name in other} == {
            name: pytest.approx(float(value), rel=1e-9, abs=1e-9)
            if name.endswith("_mean") and value
            else value
            for name, value in other.items()
        }


LEVELS = st.none() | st.floats(0, 5000, width=32, allow_subnormal=False)
ROWS = st.tuples(
    st.integers(0, 1),  # which tank
    st.integers(1, 12),  # seq: often one that was there before
    st.integers(0, 2 * 24 * 12 - 1),  # piece of five minutes within two days
    LEVELS,
    st.none() | st.integers(0, 100_000_000),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.tuples(st.lists(ROWS, min_size=1, max_size=8), st.booleans(), st.sampled_from([0, 1, 2, 5000])),
        max_size=8,
    )
)
def test_any_order_of_batches_and_runs_ends_like_a_recomputation(
    database: Connection, tanks: tuple[int, int], batches: list[Any]
) -> None:
    with database.transaction(force_rollback=True):
        for rows, is_sent_again, batch_size in batches:
            batch = [
                at(tanks[which], seq, 5 * piece + seq / 10, water_level_cm=level, volume_l=volume)
                for which, seq, piece, level, volume in rows
            ]
            for _ in range(1 + is_sent_again):
                upload(database, "telemetry_tank", batch)
            if batch_size:
                roll_up(database, batch_size)
        while roll_up(database, 3):
            pass
        metrics = TELEMETRY["telemetry_tank"]
        hours = recomputed(database, "telemetry_tank", metrics, "1 hour")
        days = recomputed(database, "telemetry_tank", metrics, "1 day")
        assert_alike(kept(database, "telemetry_tank_hourly"), hours)
        assert_alike(kept(database, "telemetry_tank_daily"), days)
        assert roll_up(database) == 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(ROWS, min_size=1, max_size=6), max_size=5))
def test_heartbeats_and_scans_end_like_a_recomputation(
    database: Connection, tanks: tuple[int, int], batches: list[Any]
) -> None:
    with database.transaction(force_rollback=True):
        for rows in batches:
            places = [(tanks[which], seq, 5 * piece + seq / 10) for which, seq, piece, _, _ in rows]
            upload(
                database,
                "device_heartbeats",
                [
                    at(*place, cpu_percent=row[3], queue_length=row[4])
                    for place, row in zip(places, rows, strict=True)
                ],
            )
            upload(
                database,
                "attendance_logs",
                [at(*place, student_id="s", result="success", scan_type="qr") for place in places],
            )
            roll_up(database, 2)
        while roll_up(database):
            pass
        pieces = recomputed(database, "device_heartbeats", MACHINE, "5 minutes")
        days = recomputed(database, "device_heartbeats", MACHINE, "1 day")
        found = kept(database, "device_metrics_daily")
        assert_alike(kept(database, "device_metrics_5min"), pieces)
        assert_alike(found, days)
        for day in found:
            heard = [p for p in pieces if p["device_id"] == day["device_id"] and same_day(p, day)]
            assert day["uptime_h"] == pytest.approx(len(heard) / 12)
            assert day["total_scans"] == day["readings"]


def same_day(piece: Row, day: Row) -> bool:
    return bool(timedelta() <= piece["bucket_at"] - day["bucket_at"] < timedelta(days=1))


@pytest.mark.parametrize("table", TELEMETRY)
def test_every_metric_of_every_kind_is_rolled_up(
    database: Connection, tanks: tuple[int, int], table: str
) -> None:
    fields = next(kind.fields for kind in KINDS if kind.table == table)
    low = {field.name: field.low for field in fields if isinstance(field, Metric)}
    high = {field.name: field.high for field in fields if isinstance(field, Metric)}
    upload(
        database, table, [at(tanks[0], 1, 0, **low), at(tanks[0], 2, 1, **high), at(tanks[0], 3, 70, **high)]
    )
    roll_up(database)
    for ending, width in (("hourly", "1 hour"), ("daily", "1 day")):
        wanted = recomputed(database, table, TELEMETRY[table], width)
        assert_alike(kept(database, f"{table}_{ending}"), wanted)


def test_what_fails_half_way_loses_no_entry(database: Connection, tanks: tuple[int, int]) -> None:
    upload(database, "telemetry_tank", [at(tanks[0], 1, 0, water_level_cm=1), at(tanks[1], 2, 0)])
    upload(database, "telemetry_flow", [at(tanks[0], 3, 0, flow_rate_lpm=1)])
    database.execute(
        "alter table public.telemetry_tank_daily add constraint breaks check (device_id = 0) not valid"
    )
    assert roll_up(database) == 3
    assert kept(database, "telemetry_tank_hourly") == []
    database.execute("alter table public.telemetry_tank_daily drop constraint breaks")
    pass_time(database, "1 minute")
    assert roll_up(database) == 2
    assert len(kept(database, "telemetry_tank_hourly")) == 2
    assert len(kept(database, "telemetry_flow_daily")) == 1


def test_one_call_does_no_more_than_it_may(database: Connection, tanks: tuple[int, int]) -> None:
    for hour in range(5):
        upload(database, "telemetry_tank", [at(tanks[0], hour + 1, 60 * hour)])
    assert [roll_up(database, 2) for _ in range(4)] == [2, 2, 1, 0]


def test_only_one_rolls_up_at_a_time(migrated: str, database: Connection, tanks: tuple[int, int]) -> None:
    upload(database, "telemetry_tank", [at(tanks[0], 1, 0)])
    with psycopg.connect(migrated) as other:
        other.execute("select private.roll_up()")
        assert roll_up(database) == 0
    assert roll_up(database) == 1


def test_days_are_of_utc_wherever_the_session_is(database: Connection, tanks: tuple[int, int]) -> None:
    database.execute("set local time zone 'Asia/Kolkata'")
    upload(
        database,
        "telemetry_tank",
        [at(tanks[0], 1, -1, volume_l=1), at(tanks[0], 2, 24 * 60 - 1, volume_l=3)],
    )
    roll_up(database)
    days = kept(database, "telemetry_tank_daily")
    assert [day["bucket_at"].astimezone(UTC) for day in days] == [MIDNIGHT - timedelta(days=1), MIDNIGHT]


def test_people_see_the_roll_ups_of_their_tenants(database: Connection, tanks: tuple[int, int]) -> None:
    upload(database, "telemetry_tank", [at(tanks[0], 1, 0)])
    roll_up(database)
    tenant = database.execute("select tenant_id from public.devices where id = %s", (tanks[0],)).fetchone()
    assert tenant is not None
    insider = new_person(database, "viewer", tenant["tenant_id"])
    with acting_as_person(database, insider):
        assert (
            len(kept(database, "telemetry_tank_hourly")) == len(kept(database, "telemetry_tank_daily")) == 1
        )
    stranger = new_person(database, "viewer", None)
    with acting_as_person(database, stranger):
        assert kept(database, "telemetry_tank_hourly") == kept(database, "telemetry_tank_daily") == []


def test_a_metric_added_later_is_rolled_up_too(database: Connection, tanks: tuple[int, int]) -> None:
    database.execute("alter table public.telemetry_tank add column salt_ppm integer")
    for table in ("telemetry_tank_hourly", "telemetry_tank_daily"):
        database.execute("select private.add_rollup_columns(%s, 'telemetry_tank')", (table,))
    upload(database, "telemetry_tank", [at(tanks[0], 1, 0, salt_ppm=3), at(tanks[0], 2, 1, salt_ppm=5)])
    roll_up(database)
    (day,) = kept(database, "telemetry_tank_daily")
    assert (day["salt_ppm_mean"], day["salt_ppm_min"], day["salt_ppm_max"], day["salt_ppm_count"]) == (
        4,
        3,
        5,
        2,
    )


@pytest.fixture
def poisoned(database: Connection, tanks: tuple[int, int]) -> tuple[int, int]:
    """Two tanks: five entries of one that can never be rolled up, and after them forty of the other."""
    database.execute(
        psycopg.sql.SQL(
            "alter table public.telemetry_tank_daily add constraint poison check (device_id <> {})"
        ).format(psycopg.sql.Literal(tanks[0]))
    )
    for tank, batches in zip(tanks, (5, 40), strict=True):
        for seq in range(1, batches + 1):
            upload(database, "telemetry_tank", [at(tank, seq, 30 * seq, ph=7)])
    return tanks


def pass_time(database: Connection, interval: str) -> None:
    database.execute(
        "update private.dirty_ranges set next_attempt_at = next_attempt_at - %s::interval", (interval,)
    )


def system_alerts(database: Connection) -> list[Row]:
    return database.execute("select * from public.alerts where alert_type = 'system' order by id").fetchall()


@pytest.mark.parametrize("batch_size", [3, 5000])
def test_an_entry_that_always_fails_is_in_nobodys_way(
    database: Connection, poisoned: tuple[int, int], batch_size: int
) -> None:
    while roll_up(database, batch_size):
        pass
    left = database.execute("select device_id, attempts from private.dirty_ranges").fetchall()
    assert left == [{"device_id": poisoned[0], "attempts": 1}] * 5
    (day,) = kept(database, "telemetry_tank_daily")
    assert (day["device_id"], day["readings"]) == (poisoned[1], 40)


def test_an_entry_that_goes_on_failing_is_told_and_done_when_it_can_be(
    database: Connection, poisoned: tuple[int, int]
) -> None:
    for minutes in (1, 2, 4, 8):
        roll_up(database)
        assert system_alerts(database) == []
        pass_time(database, f"{60 * minutes - 1} seconds")
        assert roll_up(database) == 0
        pass_time(database, "1 second")
    roll_up(database)
    (told,) = system_alerts(database)
    first = database.execute("select min(id) as id from private.dirty_ranges").fetchone()
    assert first is not None
    assert told["title"] == "roll_up_telemetry_tank"
    assert f"Entry {first['id']} of dirty_ranges (device {poisoned[0]}, " in told["message"]
    assert 'violates check constraint "poison"' in told["message"]

    database.execute("alter table public.telemetry_tank_daily drop constraint poison")
    pass_time(database, "1 hour")
    assert roll_up(database) == 5
    assert [alert["is_active"] for alert in system_alerts(database)] == [False]
    assert {day["device_id"]: day["readings"] for day in kept(database, "telemetry_tank_daily")} == {
        poisoned[0]: 5,
        poisoned[1]: 40,
    }


def _waiting(database: Connection) -> int:
    found = database.execute("select count(*) as entries from private.dirty_ranges").fetchone()
    assert found is not None
    return int(found["entries"])


def test_values_next_to_nothing_are_rolled_up_like_others(
    database: Connection, tanks: tuple[int, int]
) -> None:
    rows = [at(tanks[0], seq, 60 * seq, flow_rate_lpm=rate) for seq, rate in enumerate((5e-324, 0, 0, 0), 1)]
    upload(database, "telemetry_flow", rows)
    roll_up(database)
    assert _waiting(database) == 0
    [day] = kept(database, "telemetry_flow_daily")
    assert (day["flow_rate_lpm_mean"], day["flow_rate_lpm_max"], day["flow_rate_lpm_count"]) == (0, 5e-324, 4)
    chart = database.execute(
        "select * from public.telemetry_chart(%s, 'flow_rate_lpm', %s, %s, 2, 'telemetry_flow')",
        (tanks[0], MIDNIGHT, MIDNIGHT + timedelta(days=1)),
    ).fetchall()
    assert sum(point["readings"] for point in chart) == 4
    report = "select readings from public.get_flow_statistics(%s, %s, %s)"
    span = (tanks[0], MIDNIGHT - timedelta(days=60), MIDNIGHT + timedelta(days=1))
    assert database.execute(report, span).fetchall() == [{"readings": 4}]


def test_late_values_next_to_nothing_are_added_to_their_buckets(
    database: Connection, tanks: tuple[int, int]
) -> None:
    database.execute("update private.rollups set raw_kept_from = %s", (MIDNIGHT + timedelta(days=1),))
    for seq, rate in ((1, 0), (2, 5e-324)):
        upload(database, "telemetry_flow", [at(tanks[0], seq, seq, flow_rate_lpm=rate)])
        roll_up(database)
    assert _waiting(database) == 0
    assert [day["flow_rate_lpm_count"] for day in kept(database, "telemetry_flow_daily")] == [2]
