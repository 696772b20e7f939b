"""On which day something was missing, against a plain count in Python."""

from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.roles import Connection, acting_as_person, new_person, register, upload
from tests.supabase.test_completeness import ledger_entry
from tests.supabase.test_retention import NOON, ago, keep, old_partitions, retire
from tests.supabase.test_rollups import roll_up

TODAY = NOON.date()


@pytest.fixture
def tank(database: Connection) -> int:
    return register(database, "tank")


def by_day(database: Connection, device_id: int, days: int = 9) -> dict[int, tuple[int, int, int, int]]:
    """Return stored, duplicates, explained and unexplained by how many days ago, without empty days."""
    found = database.execute(
        "select * from public.completeness_by_day(%s, current_date - %s, current_date)", (device_id, days)
    ).fetchall()
    assert len(found) == days + 1
    counts = {
        (TODAY - row["day"]).days: (
            row["rows_stored"],
            row["duplicates"],
            row["rows_explained"],
            row["rows_unexplained"],
        )
        for row in found
    }
    return {day: numbers for day, numbers in counts.items() if any(numbers)}


def test_a_hole_counts_on_the_day_of_the_row_after_it(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [ago(tank, 1, 5), ago(tank, 2, 4), ago(tank, 6, 3), ago(tank, 9, 1)])
    upload(database, "telemetry_flow", [ago(tank, 6, 3)])
    upload(database, "loss_ledger", [ledger_entry(tank, 1, 4, 5)])
    assert by_day(database, tank) == {
        5: (1, 0, 0, 0),
        4: (1, 0, 0, 0),
        3: (2, 1, 2, 1),
        1: (1, 0, 0, 2),
        0: (1, 0, 0, 0),
    }


def test_a_loss_at_the_end_counts_when_it_was_told(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [ago(tank, 1, 5)])
    upload(database, "loss_ledger", [ledger_entry(tank, 1, 2, 4)])
    assert by_day(database, tank) == {5: (1, 0, 0, 0), 0: (1, 0, 3, 0)}


def test_what_retention_removed_is_not_missing(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [ago(tank, seq, 60 - seq) for seq in range(1, 59) if seq != 20])
    roll_up(database)
    keep(database, "telemetry_tank", 20)
    retire(database)
    found = by_day(database, tank, 60)
    assert 20 < sum(stored for stored, _, _, _ in found.values()) < 40
    assert all(numbers[3] == 0 for numbers in found.values())


def test_what_came_again_after_retention_makes_no_hole(database: Connection, tank: int) -> None:
    said = [ago(tank, seq, 60, level="info", code="c", message="m") for seq in range(1, 11)]
    upload(database, "error_logs", said)
    retire(database)
    upload(database, "error_logs", said[4:5])
    upload(database, "telemetry_tank", [ago(tank, 11, 1)])
    assert by_day(database, tank, 70) == {60: (1, 0, 0, 0), 1: (1, 0, 0, 0)}


def test_a_hole_before_a_row_that_stays_keeps_its_day_when_those_beside_it_go(
    database: Connection, tank: int
) -> None:
    old_partitions(database, "device_heartbeats", 60)
    upload(database, "telemetry_tank", [ago(tank, seq, 30) for seq in (1, 3)])
    upload(database, "device_heartbeats", [ago(tank, seq, 30) for seq in (4, 5)])
    roll_up(database)
    assert by_day(database, tank, 40) == {30: (4, 0, 0, 1)}
    retire(database)
    assert by_day(database, tank, 40) == {30: (2, 0, 0, 1)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days_ago=st.dictionaries(st.integers(1, 30), st.integers(1, 9), max_size=20),
    losses=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=4),
)
def test_agrees_with_a_plain_walk(
    database: Connection, tank: int, days_ago: dict[int, int], losses: list[tuple[int, int]]
) -> None:
    with database.transaction(force_rollback=True):
        for seq, days in days_ago.items():
            upload(database, "telemetry_tank", [ago(tank, seq, days)])
        for number, (first, more) in enumerate(losses, 1):
            upload(database, "loss_ledger", [ledger_entry(tank, number, first, first + more, epoch=1)])
        # The ledger entries are rows of another epoch, all of today.
        found = by_day(database, tank)
    lost = {seq for first, more in losses for seq in range(first, first + more + 1)}
    wanted: dict[int, list[int]] = {}
    for seq in range(1, max([*days_ago, *lost], default=0) + 1):
        after = min((other for other in days_ago if other >= seq), default=None)
        numbers = wanted.setdefault(days_ago[after] if after else 0, [0, 0, 0, 0])
        numbers[0 if seq in days_ago else 2 if seq in lost else 3] += 1
    if losses:
        wanted.setdefault(0, [0, 0, 0, 0])[0] += len(losses)
    assert found == {day: tuple(numbers) for day, numbers in wanted.items()}


def test_only_who_may_read_the_device_is_told(database: Connection, tank: int) -> None:
    stranger = new_person(database, "admin", None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as_person(database, stranger):
        by_day(database, tank)


@pytest.mark.parametrize("days", [(date(2026, 2, 1), date(2026, 1, 1)), (date(2020, 1, 1), date(2026, 1, 1))])
def test_days_that_make_no_sense_are_refused(database: Connection, tank: int, days: tuple[Any, Any]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue), database.transaction():
        database.execute("select * from public.completeness_by_day(%s, %s, %s)", (tank, *days))
