"""Rows land in their week, whether it was made in time or not."""

from datetime import timedelta

import pytest

from shared_schema.limits import RETENTION_MS
from tests.supabase.roles import Connection, count, register, row_of, upload


@pytest.fixture
def tank(database: Connection) -> int:
    return register(database, "tank")


def leaves_with_rows(database: Connection) -> list[str]:
    found = database.execute(
        "select distinct tableoid::regclass::text as leaf from public.telemetry_tank order by 1"
    )
    return [row["leaf"] for row in found]


def test_everything_within_retention_has_its_week(database: Connection, tank: int) -> None:
    days = RETENTION_MS // 86_400_000
    upload(
        database,
        "telemetry_tank",
        [row_of(tank, day + 1, ago=timedelta(days=day)) for day in range(days + 1)],
    )
    leaves = leaves_with_rows(database)
    assert len(leaves) >= days // 7
    assert not any(leaf.endswith("_default") for leaf in leaves)


def test_making_partitions_again_makes_none(database: Connection) -> None:
    assert database.execute("select private.make_partitions() as made").fetchone() == {"made": 0}


def test_rows_that_came_before_their_partition_move_into_it(database: Connection, tank: int) -> None:
    early = timedelta(days=-60)
    upload(database, "telemetry_tank", [row_of(tank, 1, ago=early), row_of(tank, 2, ago=early * 2)])
    assert leaves_with_rows(database) == ["partitions.telemetry_tank_default"]
    database.execute("update private.partitioned_tables set ahead_days = 70")
    database.execute("select private.make_partitions()")
    assert count(database, "telemetry_tank") == 2
    leaves = leaves_with_rows(database)
    assert len(leaves) == 2
    assert "partitions.telemetry_tank_default" in leaves


def test_a_row_moved_from_the_default_keeps_its_identity(database: Connection, tank: int) -> None:
    row = row_of(tank, 1, ago=timedelta(days=-60))
    upload(database, "telemetry_tank", [row])
    database.execute("update private.partitioned_tables set ahead_days = 70")
    database.execute("select private.make_partitions()")
    upload(database, "telemetry_tank", [row])
    assert count(database, "telemetry_tank") == 1
