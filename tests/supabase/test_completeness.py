"""Is everything there, and once? The answer against a plain count over the same rows."""

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.roles import Connection, register, row_of, upload

EPOCH = 7


@pytest.fixture
def tank(database: Connection) -> int:
    return register(database, "tank")


def ledger_entry(device_id: int, seq: int, first: int, last: int, epoch: int = 1) -> dict[str, Any]:
    row = row_of(device_id, seq, epoch=epoch, lost_device_id=device_id, lost_epoch=EPOCH)
    return {**row, "first_seq": first, "last_seq": last, "cause": "evicted"}


def completeness(database: Connection, epoch: int = EPOCH) -> dict[str, Any]:
    rows = database.execute("select * from public.completeness('tank') where epoch = %s", (epoch,)).fetchall()
    return rows[0] if rows else {}


def test_says_that_a_whole_sequence_is_whole(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [row_of(tank, seq) for seq in (1, 2, 4)])
    upload(database, "telemetry_flow", [row_of(tank, 3)])
    found = completeness(database)
    assert (found["rows_stored"], found["first_seq"], found["last_seq"]) == (4, 1, 4)
    assert (found["duplicates"], found["unexplained_gaps"], found["rows_explained"]) == (0, 0, 0)


def test_finds_a_hole_in_the_middle_and_one_at_the_beginning(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [row_of(tank, seq) for seq in (3, 4, 7)])
    found = completeness(database)
    assert (found["unexplained_gaps"], found["rows_unexplained"]) == (2, 4)


def test_finds_a_row_that_is_there_twice(database: Connection, tank: int) -> None:
    row = row_of(tank, 1)
    upload(database, "telemetry_tank", [row])
    upload(database, "telemetry_flow", [row])
    upload(database, "telemetry_tank", [row_of(tank, 1)])
    assert completeness(database)["duplicates"] == 2


def test_a_loss_at_the_end_counts_as_explained(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [row_of(tank, 1)])
    upload(database, "loss_ledger", [ledger_entry(tank, 1, 2, 4)])
    found = completeness(database)
    assert (found["rows_explained"], found["unexplained_gaps"], found["last_seq"]) == (3, 0, 1)


def test_epochs_are_told_apart(database: Connection, tank: int) -> None:
    upload(database, "telemetry_tank", [row_of(tank, seq) for seq in (1, 2)])
    upload(database, "telemetry_tank", [row_of(tank, 2, epoch=8)])
    assert completeness(database)["unexplained_gaps"] == 0
    assert completeness(database, epoch=8)["unexplained_gaps"] == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seqs=st.lists(st.integers(1, 30), max_size=30),
    losses=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=4),
)
def test_agrees_with_a_plain_count(
    database: Connection, tank: int, seqs: list[int], losses: list[tuple[int, int]]
) -> None:
    with database.transaction(force_rollback=True):
        if seqs:
            upload(database, "telemetry_tank", [row_of(tank, seq) for seq in seqs], is_ignoring=False)
        if losses:
            entries = [
                ledger_entry(tank, n, first, first + more) for n, (first, more) in enumerate(losses, 1)
            ]
            upload(database, "loss_ledger", entries)
        found = completeness(database)
    lost = {seq for first, more in losses for seq in range(first, first + more + 1)}
    absent = set(range(1, max([*seqs, *lost], default=0) + 1)) - set(seqs)
    holes = absent - lost
    assert found.get("rows_stored", 0) == len(seqs)
    assert found.get("duplicates", 0) == len(seqs) - len(set(seqs))
    assert found.get("rows_explained", 0) == len(absent & lost)
    assert found.get("rows_unexplained", 0) == len(holes)
    assert found.get("unexplained_gaps", 0) == sum(seq - 1 not in holes for seq in holes)


def test_latency_is_from_measuring_to_storing(database: Connection, tank: int) -> None:
    row = row_of(tank, 1)
    upload(database, "telemetry_tank", [{**row, "received_at": row["recorded_at"]}])
    database.execute("update public.telemetry_tank set received_at = recorded_at + interval '250 ms'")
    found = database.execute(
        "select * from public.upload_latency(now() - interval '1 day', now() + interval '1 day')"
    ).fetchone()
    assert found == {"readings": 1, "p50_ms": 250, "p95_ms": 250, "p99_ms": 250}


@pytest.mark.parametrize("last", [2**53, 2**63 - 1])
def test_numbers_that_would_break_the_count_for_everybody_are_refused(
    database: Connection, tank: int, last: int
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), database.transaction():
        upload(database, "loss_ledger", [ledger_entry(tank, 1, 2, last)])
    with pytest.raises(psycopg.errors.CheckViolation), database.transaction():
        upload(database, "telemetry_tank", [row_of(tank, last)])

    assert completeness(database) == {}
