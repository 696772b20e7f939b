"""Who may have a device token: by the secret, or by a refresh token that serves once."""

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.roles import SECRET_HASH, Connection, register

WRONG_HASH = "cd" * 32
ROUNDS = 12


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ask(database: Connection, call: str, *arguments: str) -> dict[str, Any]:
    found = database.execute(f"select * from public.{call}".encode(), arguments).fetchone()
    assert found is not None
    return found


def opened(
    database: Connection, device_key: str, secret_hash: str, refresh: str = "r1"
) -> tuple[str, int | None]:
    found = ask(database, "open_device_session(%s, %s, %s)", device_key, secret_hash, hashed(refresh))
    return found["verdict"], found["device_id"]


def refreshed(database: Connection, shown: str, following: str) -> str:
    return str(ask(database, "refresh_device_session(%s, %s)", hashed(shown), hashed(following))["verdict"])


def a_minute_later(database: Connection) -> None:
    database.execute("update private.device_token_requests set minute = minute - interval '1 minute'")


def rows_kept(database: Connection) -> tuple[int, int, int]:
    found = database.execute(
        """
        select (select count(*) from private.device_tokens) as tokens,
          (select count(*) from private.device_token_families) as families,
          (select count(*) from private.device_token_requests) as requests
        """
    ).fetchone()
    assert found is not None
    return found["tokens"], found["families"], found["requests"]


@pytest.fixture
def hub(database: Connection) -> int:
    """A hub with the key "hub" that has asked for nothing yet."""
    return register(database, "hub", kind="hub")


def test_the_right_secret_names_the_device(database: Connection, hub: int) -> None:
    assert opened(database, "hub", SECRET_HASH) == ("granted", hub)


def test_a_wrong_secret_an_unknown_key_and_none_at_all_are_refused_alike(
    database: Connection, hub: int
) -> None:
    register(database, "tank", hub="hub")
    for device_key, secret_hash in [("hub", WRONG_HASH), ("nobody", SECRET_HASH), ("tank", SECRET_HASH)]:
        assert opened(database, device_key, secret_hash) == ("refused", None)
    assert refreshed(database, "r1", "r2") == "refused"


@pytest.mark.parametrize("change", ["revoked_at = now()", "status = 'pending'", "status = 'retired'"])
def test_a_device_out_of_service_is_refused_either_way(database: Connection, hub: int, change: str) -> None:
    opened(database, "hub", SECRET_HASH)
    database.execute(f"update public.devices set {change}".encode())
    assert opened(database, "hub", SECRET_HASH) == ("refused", None)
    assert refreshed(database, "r1", "r2") == "refused"


def test_a_refresh_token_is_exchanged_for_the_next_and_names_the_device(
    database: Connection, hub: int
) -> None:
    opened(database, "hub", SECRET_HASH)
    found = ask(database, "refresh_device_session(%s, %s)", hashed("r1"), hashed("r2"))
    assert found == {"verdict": "granted", "device_id": hub, "device_key": "hub"}
    assert [refreshed(database, f"r{n}", f"r{n + 1}") for n in (2, 3, 4)] == ["granted"] * 3


def test_a_used_token_used_again_voids_every_token_of_its_family_and_of_no_other(
    database: Connection, hub: int
) -> None:
    opened(database, "hub", SECRET_HASH, "a1")
    opened(database, "hub", SECRET_HASH, "b1")
    assert [refreshed(database, "a1", "a2"), refreshed(database, "a2", "a3")] == ["granted", "granted"]
    assert refreshed(database, "a1", "x") == "reused"
    assert refreshed(database, "a3", "a4") == "refused"
    assert refreshed(database, "b1", "b2") == "granted"
    assert opened(database, "hub", SECRET_HASH, "c1") == ("granted", hub)


def test_a_new_secret_voids_what_was_opened_with_the_old_one(database: Connection, hub: int) -> None:
    opened(database, "hub", SECRET_HASH, "old")
    database.execute("select public.set_device_secret('hub', %s)", (WRONG_HASH,))
    assert refreshed(database, "old", "x") == "refused"
    assert opened(database, "hub", SECRET_HASH) == ("refused", None)
    assert opened(database, "hub", WRONG_HASH, "new") == ("granted", hub)
    assert refreshed(database, "new", "x") == "granted"


def test_a_refresh_token_lives_thirty_days(database: Connection, hub: int) -> None:
    for name, age in (("young", "29 days 23 hours"), ("old", "30 days 1 second")):
        opened(database, "hub", SECRET_HASH, name)
        database.execute(
            "update private.device_tokens set issued_at = now() - %s::interval"
            " where refresh_hash = decode(%s, 'hex')",
            (age, hashed(name)),
        )
    assert (refreshed(database, "young", "y2"), refreshed(database, "old", "o2")) == ("granted", "refused")


def test_the_eleventh_request_in_a_minute_is_put_off_over_both_ways(database: Connection, hub: int) -> None:
    answers = [opened(database, "hub", SECRET_HASH, f"s{n}")[0] for n in range(5)]
    answers += [refreshed(database, f"s{n}", f"t{n}") for n in range(4)]
    assert answers == ["granted"] * 9
    assert opened(database, "hub", SECRET_HASH, "last") == ("granted", hub)
    assert opened(database, "hub", SECRET_HASH, "more") == ("limited", None)
    assert refreshed(database, "s4", "t4") == "limited"
    a_minute_later(database)
    assert refreshed(database, "s4", "t4") == "granted"  # being put off had not used it up


def test_guessing_does_not_lock_the_device_out_and_does_not_hide_a_theft(
    database: Connection, hub: int
) -> None:
    opened(database, "hub", SECRET_HASH, "r1")
    refreshed(database, "r1", "r2")
    guesses = [opened(database, "hub", WRONG_HASH)[0] for _ in range(12)]
    assert guesses == ["refused"] * 10 + ["limited"] * 2
    assert refreshed(database, "r1", "x") == "limited"
    assert refreshed(database, "r2", "r3") == "limited"  # its family is void, so it counts as a guess
    assert opened(database, "hub", SECRET_HASH, "new") == ("granted", hub)


def test_unknown_keys_and_tokens_leave_no_trace(database: Connection, hub: int) -> None:
    before = rows_kept(database)
    found = database.execute(
        """
        select count(*) filter (where verdict = 'refused') as refused
        from generate_series(1, 100000) as n
        cross join lateral public.open_device_session('nobody-' || n, %(hash)s, %(hash)s)
        """,
        {"hash": WRONG_HASH},
    ).fetchone()
    assert found == {"refused": 100_000}
    for n in range(100):
        refreshed(database, f"guess-{n}", "x")
        opened(database, "hub", hashed(f"guess-{n}"))
    tokens, families, requests = rows_kept(database)
    assert (tokens, families, requests) == (before[0], before[1], before[2] + 1)


def test_a_hub_that_restarts_all_day_leaves_few_families(database: Connection, hub: int) -> None:
    for n in range(40):
        a_minute_later(database)
        assert opened(database, "hub", SECRET_HASH, f"start-{n}") == ("granted", hub)
    assert rows_kept(database) == (20, 20, 1)
    assert refreshed(database, "start-39", "next") == "granted"
    assert refreshed(database, "start-19", "next-2") == "refused"


def test_tokens_are_kept_no_longer_than_they_could_be_used_again(database: Connection, hub: int) -> None:
    opened(database, "hub", SECRET_HASH, "r0")
    for n in range(5):
        refreshed(database, f"r{n}", f"r{n + 1}")
    database.execute(
        "update private.device_tokens set issued_at = now() - interval '31 days' where used_at is not null"
    )
    refreshed(database, "r5", "r6")
    assert rows_kept(database)[0] == 2
    database.execute("update private.device_token_families set expires_at = now() - interval '1 second'")
    opened(database, "hub", SECRET_HASH, "new")
    assert rows_kept(database)[:2] == (1, 1)


@pytest.fixture
def lasting(migrated: str) -> Iterator[str]:
    """The key of a hub that other connections see too; gone after the test."""
    device_key = f"hub-{uuid.uuid4().hex[:12]}"
    with psycopg.connect(migrated, row_factory=dict_row, autocommit=True) as connection:
        register(connection, device_key, kind="hub")
        yield device_key
        connection.execute("delete from public.devices where device_key = %s", (device_key,))


def at_once(url: str, calls: list[tuple[str, ...]]) -> list[str]:
    """Ask each on a connection of its own, all at the same moment."""
    barrier = Barrier(len(calls))

    def one(arguments: tuple[str, ...]) -> str:
        with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
            barrier.wait()
            return str(ask(connection, *arguments)["verdict"])

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_of_two_with_the_same_token_one_wins_and_the_family_is_void(migrated: str, lasting: str) -> None:
    call = "refresh_device_session(%s, %s)"
    with psycopg.connect(migrated, row_factory=dict_row, autocommit=True) as connection:
        for turn in range(ROUNDS):
            first, left, right = (f"{lasting}-{turn}-{name}" for name in ("first", "left", "right"))
            a_minute_later(connection)
            assert opened(connection, lasting, SECRET_HASH, first)[0] == "granted"
            pair = [(call, hashed(first), hashed(following)) for following in (left, right)]
            assert sorted(at_once(migrated, pair)) == ["granted", "reused"]
            assert {refreshed(connection, token, f"{token}-2") for token in (left, right)} == {"refused"}


def test_a_theft_noticed_while_the_device_renews_leaves_no_token_of_the_family(
    migrated: str, lasting: str
) -> None:
    call = "refresh_device_session(%s, %s)"
    with psycopg.connect(migrated, row_factory=dict_row, autocommit=True) as connection:
        for turn in range(ROUNDS):
            used, newest, following = (f"{lasting}-{turn}-{name}" for name in ("used", "newest", "following"))
            a_minute_later(connection)
            opened(connection, lasting, SECRET_HASH, used)
            refreshed(connection, used, newest)
            thief = (call, hashed(used), hashed(f"{used}-x"))
            device = (call, hashed(newest), hashed(following))
            answers = at_once(migrated, [thief, device])
            assert answers[0] == "reused"
            assert answers[1] in {"granted", "refused"}
            assert refreshed(connection, following, f"{following}-x") == "refused"


def test_requests_at_once_are_held_to_ten(migrated: str, lasting: str) -> None:
    call = "open_device_session(%s, %s, %s)"
    calls = [(call, lasting, SECRET_HASH, hashed(f"{lasting}-{n}")) for n in range(16)]
    granted = at_once(migrated, calls).count("granted")
    assert granted >= 10
    with psycopg.connect(migrated, row_factory=dict_row) as connection:
        counted = connection.execute(
            "select requests from private.device_token_requests join public.devices on id = device_id"
            " where device_key = %s",
            (lasting,),
        ).fetchone()
    assert counted is not None
    # A minute may have ended in between: those before it were ten at most, those after it are counted anew.
    assert granted == 10 if counted["requests"] == 16 else granted <= 10 + min(10, counted["requests"])
