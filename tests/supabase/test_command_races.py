"""Many at once, each on a connection of its own, against a database in which they commit."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.orders import (
    Site,
    approve,
    call,
    claim,
    command,
    history,
    new_site,
    order,
    report,
    statuses,
)
from tests.supabase.roles import Connection, acting_as_person, count

AT_ONCE = 16
COMMANDS = 200
Result = TypeVar("Result")


@pytest.fixture
def database(own_database: str) -> Iterator[Connection]:
    with closing(psycopg.connect(own_database, autocommit=True, row_factory=dict_row)) as connection:
        yield connection


@pytest.fixture
def site(database: Connection) -> Site:
    return new_site(database)


def all_at_once(url: str, *tasks: Callable[[Connection], Result]) -> list[Result]:
    """Run each task on its own connection, begun together."""
    ready = Barrier(len(tasks), timeout=60)

    def run(task: Callable[[Connection], Result]) -> Result:
        with closing(psycopg.connect(url, autocommit=True, row_factory=dict_row)) as connection:
            ready.wait()
            return task(connection)

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def succeeds(task: Callable[[], object]) -> bool:
    try:
        task()
    except psycopg.errors.CheckViolation:
        return False
    except psycopg.errors.UniqueViolation as error:
        # The key of the table alone would refuse too, but not say why.
        if "has been decided about" not in str(error):
            raise
        return False
    return True


def test_each_command_is_claimed_once_however_many_ask(
    own_database: str, database: Connection, site: Site
) -> None:
    ordered = [
        order(database, site.operator, device_id)["id"]
        for device_id in (site.hub, site.tank)
        for _ in range(COMMANDS // 2)
    ]

    def claim_until_none_is_left(connection: Connection) -> list[int]:
        claimed: list[int] = []
        while batch := claim(connection, site.hub, batch_size=3):
            claimed += batch
        return claimed

    claimed = all_at_once(own_database, *[claim_until_none_is_left] * AT_ONCE)
    assert sorted(id_ for batch in claimed for id_ in batch) == sorted(ordered)
    assert sum(bool(batch) for batch in claimed) > 1
    assert count(database, "device_command_history") == 2 * COMMANDS


def test_of_two_approvers_at_once_one_takes_effect(
    own_database: str, database: Connection, site: Site
) -> None:
    for _ in range(10):
        ordered = order(database, site.operator, site.tank, "reboot")["id"]

        def decide(person: UUID, *, is_approved: bool, about: int = ordered) -> Callable[[Connection], bool]:
            return lambda connection: succeeds(
                lambda: approve(connection, person, about, is_approved=is_approved)
            )

        wins = all_at_once(
            own_database,
            decide(site.admin, is_approved=True),
            decide(site.second_admin, is_approved=False),
            decide(site.superadmin, is_approved=True),
        )
        assert sum(wins) == 1
        approvals = database.execute(
            "select decided_by, is_approved from public.command_approvals where command_id = %s", (ordered,)
        ).fetchall()
        winner = (site.admin, site.second_admin, site.superadmin)[wins.index(True)]
        assert approvals == [{"decided_by": winner, "is_approved": winner != site.second_admin}]
        assert command(database, ordered)["is_approved"] is approvals[0]["is_approved"]


def test_a_command_is_either_taken_back_or_sent(own_database: str, database: Connection, site: Site) -> None:
    for _ in range(10):
        ordered = order(database, site.operator, site.tank)["id"]

        def cancel(connection: Connection, about: int = ordered) -> bool:
            with acting_as_person(connection, site.operator):
                call(connection, "cancel_command", command_id=about)
            return True

        def is_claimed(connection: Connection) -> bool:
            return bool(claim(connection, site.hub))

        cancelled, claimed = all_at_once(
            own_database, lambda connection: succeeds(lambda: cancel(connection)), is_claimed
        )
        assert cancelled != claimed
        assert command(database, ordered)["status"] == ("sent" if claimed else "cancelled")


def test_the_same_order_from_many_at_once_is_made_once(
    own_database: str, database: Connection, site: Site
) -> None:
    def order_it(connection: Connection) -> int:
        return int(order(connection, site.operator, site.tank, idempotency_key="a")["id"])

    assert len(set(all_at_once(own_database, *[order_it] * AT_ONCE))) == 1
    assert count(database, "device_commands") == 1


def test_the_same_report_from_many_at_once_is_one_step(
    own_database: str, database: Connection, site: Site
) -> None:
    ordered = order(database, site.operator, site.tank)["id"]
    claim(database, site.hub)

    def say(connection: Connection) -> str:
        return report(connection, site.hub, ordered, "executed", exit_code=0)

    assert all_at_once(own_database, *[say] * AT_ONCE) == ["executed"] * AT_ONCE
    assert statuses(history(database, ordered))[-1] == ("sent", "executed")
    assert len(history(database, ordered)) == 3


def test_expiry_and_a_report_at_once_end_it_once(own_database: str, database: Connection, site: Site) -> None:
    ordered = [order(database, site.operator, site.tank)["id"] for _ in range(50)]
    claim(database, site.hub, batch_size=50)
    database.execute("alter table public.device_commands disable trigger guard_command")
    database.execute(
        """
        update public.device_commands
        set created_at = created_at - interval '1 hour', expires_at = expires_at - interval '1 hour'
        """
    )
    database.execute("alter table public.device_commands enable trigger guard_command")

    def expire(connection: Connection) -> list[str]:
        connection.execute("select private.expire_commands()")
        return []

    def say(connection: Connection) -> list[str]:
        return [report(connection, site.hub, id_, "executed") for id_ in ordered]

    *_, answers = all_at_once(own_database, expire, expire, say)
    database.execute("select private.expire_commands()")
    assert answers == [command(database, id_)["status"] for id_ in ordered]
    assert set(answers) <= {"executed", "expired"}
    for id_ in ordered:
        assert sum(not step["is_late"] for step in history(database, id_)) == 3
