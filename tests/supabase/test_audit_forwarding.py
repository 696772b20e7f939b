"""Every entry of the audit log is handed on at least once, and to one forwarder at a time."""

from contextlib import closing

import psycopg
import pytest

from tests.supabase.orders import call, call_all
from tests.supabase.roles import Connection, acting_as


def note(database: Connection, entries: int) -> None:
    database.execute(
        "select private.note_audit('access', 'x', number::text) from generate_series(1, %s) as number",
        (entries,),
    )


def claim(database: Connection, batch_size: int = 1000) -> list[int]:
    with acting_as(database, "service_role"):
        return [row["id"] for row in call_all(database, "claim_audit_entries", batch_size=batch_size)]


def settle(database: Connection, ids: list[int], *, is_sent: bool) -> int:
    with acting_as(database, "service_role"):
        found = database.execute(
            "select public.settle_audit_entries(%s, %s) as settled", (ids, is_sent)
        ).fetchone()
    assert found is not None
    return int(found["settled"])


@pytest.fixture
def forwarded(database: Connection) -> Connection:
    """A database in which nothing waits."""
    settle(database, claim(database), is_sent=True)
    assert claim(database) == []
    return database


def let_pass(database: Connection, interval: str) -> None:
    database.execute(
        "update private.audit_forwards set leased_until = leased_until - %s::interval", (interval,)
    )


def test_entries_are_handed_out_oldest_first_and_once(forwarded: Connection) -> None:
    note(forwarded, 5)
    first, rest = claim(forwarded, 2), claim(forwarded)
    assert [len(first), len(rest)] == [2, 3]
    assert first + rest == sorted(first + rest)
    assert claim(forwarded) == []
    assert settle(forwarded, first + rest, is_sent=True) == 5
    assert settle(forwarded, first, is_sent=True) == 0
    let_pass(forwarded, "1 day")
    assert claim(forwarded) == []


def test_a_forwarder_that_vanished_loses_nothing(forwarded: Connection) -> None:
    note(forwarded, 2)
    taken = claim(forwarded)
    let_pass(forwarded, "2 minutes")
    assert claim(forwarded) == taken


def test_what_failed_rests_longer_each_time_but_is_never_given_up(forwarded: Connection) -> None:
    note(forwarded, 1)
    rests = []
    for _ in range(9):
        taken = claim(forwarded)
        assert len(taken) == 1
        settle(forwarded, taken, is_sent=False)
        assert claim(forwarded) == []
        found = forwarded.execute(
            "select extract(epoch from leased_until - now())::integer as rest from private.audit_forwards"
            " where audit_id = %s",
            taken,
        ).fetchone()
        assert found is not None
        rests.append(found["rest"])
        let_pass(forwarded, "1 hour")
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_two_forwarders_at_once_share_nothing(own_database: str) -> None:
    with (
        closing(psycopg.connect(own_database, row_factory=psycopg.rows.dict_row)) as one,
        closing(psycopg.connect(own_database, row_factory=psycopg.rows.dict_row)) as two,
    ):
        note(one, 10)
        one.commit()
        # Begins a transaction. The first does not commit: its entries are passed over, not waited for.
        one.execute("set local statement_timeout = '10s'")
        two.execute("set local statement_timeout = '10s'")
        first = claim(one, 5)
        second = claim(two)
        assert len(first) == 5
        assert not set(first) & set(second)
        one.rollback()
        two.rollback()


def test_an_entry_that_the_retention_deletes_is_not_forwarded(forwarded: Connection) -> None:
    forwarded.execute(
        """
        insert into public.audit_logs (occurred_at, actor_type, action_type, resource_type)
        values (now() - interval '1 year', 'service', 'access', 'x')
        """
    )
    forwarded.execute("delete from public.audit_logs where resource_type = 'x'")
    assert claim(forwarded) == []


def test_only_the_secret_key_forwards(database: Connection) -> None:
    for role in ("anon", "authenticated", "device"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(database, role):
            call(database, "claim_audit_entries", batch_size=1)
