"""What is too old goes, and nothing that is known of it goes with it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.roles import Connection, Row, count, register, row_of, upload
from tests.supabase.test_rollups import MACHINE, assert_alike, kept, recomputed, roll_up

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def hub(database: Connection) -> int:
    return register(database, "hub", kind="hub")


def keep(database: Connection, table: str, days: int) -> None:
    database.execute(
        "update private.partitioned_tables set keep_days = %s where table_name = %s", (days, table)
    )


def old_partitions(database: Connection, table: str, days: int) -> None:
    """Make the partitions that would be there if these days had been lived through."""
    planned = database.execute(
        "select keep_days from private.partitioned_tables where table_name = %s", (table,)
    ).fetchone()
    assert planned is not None
    keep(database, table, days)
    database.execute("select private.make_partitions()")
    keep(database, table, planned["keep_days"])


def retire(database: Connection) -> list[str]:
    """Take steps of retention until none is left, and say what they removed."""
    done = []
    while (row := database.execute("select private.apply_retention() as step").fetchone()) and row["step"]:
        done.append(str(row["step"]))
    return done


def ago(device_id: int, seq: int, days: float, **values: Any) -> Row:
    return {**row_of(device_id, seq, **values), "recorded_at": (NOON - timedelta(days=days)).isoformat()}


def leaves(database: Connection, table: str) -> set[str]:
    found = database.execute("select leaf from private.partitions_of(%s)", (table,))
    return {row["leaf"] for row in found}


def completeness(database: Connection) -> list[Row]:
    return database.execute("select * from public.completeness('hub')").fetchall()


def test_partitions_go_when_all_of_them_is_too_old(database: Connection, hub: int) -> None:
    upload(database, "telemetry_tank", [ago(hub, seq, days) for seq, days in enumerate((80, 40, 29, 1), 1)])
    roll_up(database)
    before = leaves(database, "telemetry_tank")
    keep(database, "telemetry_tank", 30)
    retire(database)
    gone = before - leaves(database, "telemetry_tank")
    assert 7 <= len(gone) <= 9
    assert count(database, "telemetry_tank") in {2, 3}
    rest = database.execute(
        "select min(from_at) as at from private.partitions_of('telemetry_tank')"
    ).fetchone()
    assert rest is not None
    assert NOON - timedelta(days=38) < rest["at"] < NOON - timedelta(days=30)


def test_age_never_looks_like_loss(database: Connection, hub: int) -> None:
    upload(database, "telemetry_tank", [ago(hub, seq, 80 - seq * 2) for seq in range(1, 30) if seq != 7])
    upload(database, "device_heartbeats", [ago(hub, 7, 66)])
    upload(database, "error_logs", [ago(hub, 31, 50, level="info", code="c", message="m")])
    upload(database, "telemetry_flow", [ago(hub, 3, 74)])  # one number twice
    roll_up(database)
    before = completeness(database)
    keep(database, "telemetry_tank", 30)
    assert retire(database)
    assert count(database, "telemetry_tank") < 20
    assert count(database, "device_heartbeats") == count(database, "error_logs") == 0
    assert completeness(database) == before
    assert (before[0]["rows_stored"], before[0]["duplicates"], before[0]["rows_unexplained"]) == (31, 1, 1)


def test_nothing_goes_before_it_is_rolled_up(database: Connection, hub: int) -> None:
    upload(database, "telemetry_tank", [ago(hub, 1, 80, volume_l=5)])
    upload(database, "device_heartbeats", [ago(hub, 2, 80, cpu_percent=5)])
    keep(database, "telemetry_tank", 30)
    retire(database)
    assert count(database, "telemetry_tank") == count(database, "device_heartbeats") == 1
    roll_up(database)
    retire(database)
    assert count(database, "telemetry_tank") == count(database, "device_heartbeats") == 0
    assert [day["volume_l_mean"] for day in kept(database, "telemetry_tank_daily")] == [5]
    assert [day["cpu_percent_max"] for day in kept(database, "device_metrics_daily")] == [5]


def test_hours_outlive_the_rows_they_are_made_from(database: Connection, hub: int) -> None:
    upload(database, "telemetry_tank", [ago(hub, 1, 80, volume_l=5)])
    roll_up(database)
    keep(database, "telemetry_tank_hourly", 10)
    retire(database)
    assert count(database, "telemetry_tank_hourly") == 1
    keep(database, "telemetry_tank", 30)
    retire(database)
    assert count(database, "telemetry_tank_hourly") == 0
    assert count(database, "telemetry_tank_daily") == 1


def test_rows_later_than_the_hours_are_kept_are_added_to_their_day(database: Connection, hub: int) -> None:
    upload(database, "telemetry_tank", [ago(hub, 1, 70, volume_l=5), ago(hub, 2, 70.1, volume_l=9)])
    roll_up(database)
    for table in ("telemetry_tank", "telemetry_tank_hourly"):
        keep(database, table, 30)
    retire(database)
    upload(database, "telemetry_tank", [ago(hub, 3, 70, volume_l=1), ago(hub, 2, 70.1, volume_l=9)])
    roll_up(database)
    (day,) = kept(database, "telemetry_tank_daily")
    found = tuple(day[f"volume_l_{aspect}"] for aspect in ("mean", "min", "max", "count"))
    assert found == (5, 1, 9, 3)
    assert count(database, "telemetry_tank_hourly") == count(database, "telemetry_tank") == 0


def test_rules_remove_old_rows_of_other_tables(database: Connection, hub: int) -> None:
    database.execute(
        "insert into public.telemetry_tank_daily (device_id, bucket_at)"
        " select %s, now() - make_interval(days => days) from unnest(array[1, 1826, 1830, 4000]) as days",
        (hub,),
    )
    assert database.execute("select private.prune() as rows").fetchone() == {"rows": 2}
    assert count(database, "telemetry_tank_daily") == 2


def test_alerts_and_orders_go_when_they_have_long_been_over(database: Connection, hub: int) -> None:
    database.execute(
        """
        insert into public.alerts (
          device_id, alert_type, severity, title, message, recorded_at, raised_at, is_active, cleared_at
        )
        select %s, 'stale', 'info', 't', 'm', now() - interval '500 days', now() - interval '500 days',
          days is null, now() - make_interval(days => days)
        from unnest(array[400, 300, null]) as days
        """,
        (hub,),
    )
    database.execute(
        "insert into public.audit_logs (occurred_at, actor_type, action_type, resource_type)"
        " select now() - make_interval(days => days), 'service', 'access', 'x'"
        " from unnest(array[700, 800]) as days"
    )
    assert database.execute("select private.prune() as rows").fetchone() == {"rows": 2}
    left = database.execute(
        "select cleared_at > now() - interval '1 year' as is_recent from public.alerts order by 1"
    )
    assert [row["is_recent"] for row in left] == [True, None]


def test_every_rule_names_what_there_is(database: Connection) -> None:
    database.execute("select private.prune()")
    found = database.execute("select count(*) as rules from private.retention_rules").fetchone()
    assert found is not None
    assert found["rules"] >= 13


def test_retention_gives_way_to_whoever_reads(migrated: str, database: Connection) -> None:
    before = leaves(database, "telemetry_tank")
    keep(database, "telemetry_tank", 30)
    with psycopg.connect(migrated) as reader:
        reader.execute("select count(*) from public.telemetry_tank")
        retire(database)
        assert leaves(database, "telemetry_tank") == before
        reader.rollback()
    retire(database)
    assert leaves(database, "telemetry_tank") < before


# What a device may have recorded; it always sends a row with the same time and values.
POOL = st.lists(
    st.tuples(st.floats(0.1, 24), st.none() | st.floats(0, 100, width=32, allow_subnormal=False)),
    min_size=1,
    max_size=12,
)
STEPS = st.lists(
    st.sets(st.integers(0, 11), min_size=1) | st.sampled_from(["roll up", "retire"]), max_size=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pool=POOL, steps=STEPS)
def test_rows_that_come_after_their_time_is_gone_count_once(
    database: Connection, hub: int, pool: list[tuple[float, float | None]], steps: list[Any]
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(
            "create temporary table everything_sent"
            " (like public.device_heartbeats including all) on commit drop"
        )
        for step in [*steps, "roll up"]:
            if step == "roll up":
                roll_up(database)
            elif step == "retire":
                retire(database)
            else:
                sent = [index for index in step if index < len(pool)]
                rows = [ago(hub, index + 1, pool[index][0], cpu_percent=pool[index][1]) for index in sent]
                if rows:
                    upload(database, "device_heartbeats", rows)
                    remember(database, rows)
        assert_alike(kept(database, "device_metrics_5min"), sent_by(database, "5 minutes"))
        assert_alike(kept(database, "device_metrics_daily"), sent_by(database, "1 day"))
        known = database.execute("select count(*) as rows, max(seq) as last from everything_sent").fetchone()
        assert known is not None
        found = completeness(database)
        if known["rows"]:
            assert found[0]["rows_stored"] == known["rows"]
            assert found[0]["duplicates"] == 0
            assert found[0]["rows_unexplained"] == known["last"] - known["rows"]


def remember(database: Connection, rows: list[Row]) -> None:
    for row in rows:
        database.execute(
            "insert into everything_sent"
            " (device_id, epoch, seq, recorded_at, quality, time_quality, cpu_percent)"
            " values (%(device_id)s, %(epoch)s, %(seq)s, %(recorded_at)s, 0, 0, %(cpu_percent)s)"
            " on conflict do nothing",
            row,
        )


def sent_by(database: Connection, width: str) -> list[Row]:
    return recomputed(database, "everything_sent", MACHINE, width, schema="pg_temp")


def test_the_numbers_of_rows_are_remembered_as_ranges(database: Connection, hub: int) -> None:
    upload(database, "device_heartbeats", [ago(hub, seq, 60 - seq) for seq in range(1, 30)])
    roll_up(database)
    retire(database)
    found = database.execute("select seqs::text, rows_stored from private.retired_sequences").fetchall()
    assert found == [{"seqs": "{[1,30)}", "rows_stored": 29}]


def test_tables_kept_for_different_times_leave_few_ranges(database: Connection, hub: int) -> None:
    """Heartbeats go after a week, the telemetry between them after a quarter of a year."""
    days = 60
    old_partitions(database, "device_heartbeats", days)
    beats = [ago(hub, 2 * n, days - n / 24, cpu_percent=1) for n in range(1, 24 * days)]
    readings = [ago(hub, 2 * n - 1, days - (n - 0.5) / 24, ph=7) for n in range(1, 24 * days) if n != 100]
    for table, rows in (("device_heartbeats", beats), ("telemetry_tank", readings)):
        upload(database, table, rows)
    roll_up(database)
    before = completeness(database)
    assert (before[0]["rows_stored"], before[0]["rows_unexplained"]) == (len(beats) + len(readings), 1)

    retire(database)
    assert count(database, "device_heartbeats") < 24 * 20
    assert count(database, "telemetry_tank") == len(readings)
    assert completeness(database) == before
    found = database.execute(
        "select (select count(*) from unnest(seqs)) as ranges from private.retired_sequences"
    ).fetchall()
    assert found == [{"ranges": 2}]  # before the hole and after it

    keep(database, "telemetry_tank", 10)
    retire(database)
    assert count(database, "telemetry_tank") < 24 * 20
    assert completeness(database) == before


def test_no_device_keeps_partitions_by_sending_what_is_too_old(database: Connection, hub: int) -> None:
    old_partitions(database, "error_logs", 60)
    keep(database, "telemetry_tank", 60)
    steps = []
    for seq in range(1, 40):
        late = ago(hub, seq, 60 + seq % 25, level="info", code="late", message="sent for ever")
        upload(database, "error_logs", [late])
        found = database.execute("select private.apply_retention() as step").fetchone()
        assert found is not None
        steps.append(str(found["step"]))
    assert any("and telemetry_tank_" in step for step in steps)
    assert any("and error_logs_" in step for step in steps)


def test_many_rows_that_are_too_old_go_day_by_day(database: Connection, hub: int) -> None:
    keep(database, "error_logs", 30)
    database.execute(
        """
        insert into public.error_logs (
          device_id, epoch, seq, recorded_at, quality, time_quality, level, code, message
        )
        select %s, 1, seq, %s - seq %% 2 * interval '1 day', 0, 0, 'info', 'c', 'm'
        from generate_series(1, 20001) as seq
        """,
        (hub, NOON - timedelta(days=80)),
    )
    steps = [step for step in retire(database) if "error_logs" in step]
    assert [step.partition(": ")[2] for step in steps[:2]] == ["10001 rows", "10000 rows"]
