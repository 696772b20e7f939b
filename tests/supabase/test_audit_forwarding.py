"""Every entry of the audit log is handed on at least once, and to one forwarder at a time."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
import pytest

from tests.supabase.orders import call
from tests.supabase.roles import Connection, acting_as


def note(database: Connection, entries: int) -> None:
    database.execute(
        "select private.note_audit('access', 'x', number::text) from generate_series(1, %s) as number",
        (entries,),
    )


class Claim(NamedTuple):
    """Entries in one's hands, and until when."""

    ids: list[int]
    leased_until: datetime | None


def claim(database: Connection, batch_size: int = 1000) -> Claim:
    with acting_as(database, "service_role"):
        rows = database.execute(
            "select leased_until, (entry ->> 'id')::bigint as id from public.claim_audit_entries(%s)",
            (batch_size,),
        ).fetchall()
    return Claim([row["id"] for row in rows], rows[0]["leased_until"] if rows else None)


def settle(database: Connection, claimed: Claim, *, is_sent: bool) -> int:
    with acting_as(database, "service_role"):
        found = database.execute(
            "select public.settle_audit_entries(%s, %s, %s) as settled", (*claimed, is_sent)
        ).fetchone()
    assert found is not None
    return int(found["settled"])


@pytest.fixture
def forwarded(database: Connection) -> Connection:
    """A database in which nothing waits."""
    settle(database, claim(database), is_sent=True)
    assert claim(database).ids == []
    return database


def let_pass(database: Connection, interval: str) -> None:
    database.execute(
        "update private.audit_forwards set leased_until = leased_until - %s::interval", (interval,)
    )


def test_entries_are_handed_out_oldest_first_and_once(forwarded: Connection) -> None:
    note(forwarded, 5)
    first, rest = claim(forwarded, 2), claim(forwarded)
    assert [len(first.ids), len(rest.ids)] == [2, 3]
    assert first.ids + rest.ids == sorted(first.ids + rest.ids)
    assert claim(forwarded).ids == []
    assert [settle(forwarded, claimed, is_sent=True) for claimed in (first, rest)] == [2, 3]
    assert settle(forwarded, first, is_sent=True) == 0
    let_pass(forwarded, "1 day")
    assert claim(forwarded).ids == []


def test_a_forwarder_that_vanished_loses_nothing(forwarded: Connection) -> None:
    note(forwarded, 2)
    taken = claim(forwarded)
    let_pass(forwarded, "2 minutes")
    assert claim(forwarded).ids == taken.ids


@pytest.mark.parametrize("is_sent", [True, False])
def test_who_settles_too_late_changes_nothing_of_what_another_has_claimed(
    own_database: str, is_sent: bool
) -> None:
    # Of a transaction each, as calls have: in one of them now() stands still.
    with psycopg.connect(own_database, row_factory=psycopg.rows.dict_row, autocommit=True) as database:
        note(database, 2)
        late = claim(database)
        let_pass(database, "2 minutes")
        # What is there was moved, and not what the late one has in hand.
        assert late.leased_until is not None
        late = Claim(late.ids, late.leased_until - timedelta(minutes=2))
        mine = claim(database)
        assert (settle(database, late, is_sent=is_sent), claim(database).ids) == (0, [])
        assert settle(database, mine, is_sent=True) == len(mine.ids) > 1


def test_what_failed_rests_longer_each_time_but_is_never_given_up(forwarded: Connection) -> None:
    note(forwarded, 1)
    rests = []
    for _ in range(9):
        taken = claim(forwarded)
        assert len(taken.ids) == 1
        settle(forwarded, taken, is_sent=False)
        assert claim(forwarded).ids == []
        found = forwarded.execute(
            "select extract(epoch from leased_until - now())::integer as rest from private.audit_forwards"
            " where audit_id = %s",
            taken.ids,
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
        first = claim(one, 5).ids
        second = claim(two).ids
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
    assert claim(forwarded).ids == []


def test_only_the_secret_key_forwards(database: Connection) -> None:
    for role in ("anon", "authenticated", "device"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as(database, role):
            call(database, "claim_audit_entries", batch_size=1)
