"""Where archiving is switched on, only what is in the archive is removed, and everything is there once."""

from typing import Any

import psycopg
import pytest

from tests.supabase.roles import Connection, acting_as, count, register, upload
from tests.supabase.test_retention import ago, keep, retire
from tests.supabase.test_rollups import roll_up

SHA256 = "0a" * 32


@pytest.fixture
def hub(database: Connection) -> int:
    """A hub with rows in two old weeks, and archiving switched on."""
    hub = register(database, "hub", kind="hub")
    upload(
        database, "telemetry_tank", [ago(hub, seq, 70 + seq % 2 * 7, volume_l=seq) for seq in range(1, 26)]
    )
    roll_up(database)
    keep(database, "telemetry_tank", 30)
    database.execute("select public.switch_archiving(true)")
    return hub


def claim(database: Connection) -> dict[str, Any] | None:
    return database.execute("select * from public.claim_archive()").fetchone()


def read(database: Connection, archive_id: int, batch_size: int = 10) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    after = 0
    while batch := database.execute(
        "select * from public.read_archive(%s, %s, %s)", (archive_id, after, batch_size)
    ).fetchall():
        assert all(one["row_number"] > after for one in batch)
        after = batch[-1]["row_number"]
        lines += [row["line"] for row in batch]
    return lines


def finish(database: Connection, archive_id: int, rows: int) -> None:
    database.execute("select public.finish_archive(%s, 'a/b.jsonl', %s, 1, %s)", (archive_id, rows, SHA256))


def archive_all(database: Connection) -> list[dict[str, Any]]:
    """Archive whatever there is to archive, and return the lines."""
    lines = []
    while work := claim(database):
        found = read(database, work["archive_id"])
        finish(database, work["archive_id"], len(found))
        lines += found
    return lines


def test_what_is_archived_is_every_row_once(database: Connection, hub: int) -> None:
    lines = archive_all(database)
    assert sorted(line["seq"] for line in lines) == list(range(1, 26))
    assert all(line["volume_l"] == line["seq"] and line["device_id"] == hub for line in lines)


def test_nothing_is_removed_before(database: Connection, hub: int) -> None:
    retire(database)
    assert count(database, "telemetry_tank") == 25
    archive_all(database)
    retire(database)
    assert count(database, "telemetry_tank") == 0


def test_switched_off_retention_does_not_wait(database: Connection, hub: int) -> None:
    database.execute("select public.switch_archiving(false)")
    retire(database)
    assert count(database, "telemetry_tank") == 0


def test_work_is_given_to_one_at_a_time(database: Connection, hub: int) -> None:
    claimed = []
    while work := claim(database):
        claimed.append(work["archive_id"])
    assert len(claimed) == len(set(claimed)) > 1
    database.execute("update private.archives set claimed_until = now() - interval '1 second'")
    again = claim(database)
    assert again is not None
    assert again["archive_id"] == claimed[0]


def test_what_is_given_back_is_claimed_next(database: Connection, hub: int) -> None:
    first, second = claim(database), claim(database)
    assert first is not None
    assert second is not None
    database.execute("select public.release_archive(%s)", (first["archive_id"],))
    again = claim(database)
    assert again is not None
    assert again["archive_id"] == first["archive_id"]


def test_an_archive_with_other_rows_is_refused(database: Connection, hub: int) -> None:
    work = claim(database)
    assert work is not None
    rows = len(read(database, work["archive_id"]))
    with pytest.raises(psycopg.errors.CheckViolation, match="Read it again"), database.transaction():
        finish(database, work["archive_id"], rows + 1)


def test_an_archive_that_is_finished_or_not_there_is_the_callers_mistake(
    database: Connection, hub: int
) -> None:
    work = claim(database)
    assert work is not None
    finish(database, work["archive_id"], len(read(database, work["archive_id"])))
    for archive_id in (work["archive_id"], 10**9):
        for ask in (read, lambda database, archive_id: finish(database, archive_id, 0)):
            # The REST server answers 409; to a code that it does not know, 500: try again.
            with (
                pytest.raises(psycopg.errors.ForeignKeyViolation, match="finished or does not exist"),
                database.transaction(),
            ):
                ask(database, archive_id)


def test_what_got_rows_afterwards_is_archived_again(database: Connection, hub: int) -> None:
    archive_all(database)
    upload(database, "telemetry_tank", [ago(hub, 26, 70)])
    roll_up(database)
    retire(database)
    assert count(database, "telemetry_tank") > 0
    assert {26} < {line["seq"] for line in archive_all(database)}
    retire(database)
    assert count(database, "telemetry_tank") == 0


def test_late_rows_get_an_archive_of_their_own(database: Connection, hub: int) -> None:
    archive_all(database)
    retire(database)
    upload(database, "telemetry_tank", [ago(hub, 30, 70), ago(hub, 31, 71)])
    roll_up(database)
    assert count(database, "telemetry_tank") == 0
    lines = archive_all(database)
    assert [line["seq"] for line in lines] == [30, 31]
    assert archive_all(database) == []


@pytest.mark.parametrize("role", ["anon", "authenticated", "device"])
def test_nobody_else_reads_archives(database: Connection, hub: int, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(database, role, hub):
        claim(database)


def test_a_partition_that_is_made_again_has_an_archive_of_its_own(database: Connection, hub: int) -> None:
    archive_all(database)
    retire(database)
    keep(database, "telemetry_tank", 90)
    database.execute("set local role hosted_admin")  # who owns what the job makes
    database.execute("select private.make_partitions()")
    database.execute("reset role")
    upload(database, "telemetry_tank", [ago(hub, 26, 70)])
    database.execute("delete from private.dirty_ranges")
    keep(database, "telemetry_tank", 30)
    assert [line["seq"] for line in archive_all(database)] == [26]
    retire(database)
    assert archive_all(database) == []
    stored = database.execute("select rows from private.archives where rows > 0 order by id").fetchall()
    assert [archive["rows"] for archive in stored] == [13, 12, 1]
