"""Uploads, roll-ups and retention all at once, each in a session of its own."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.conftest import migrate, new_database
from tests.supabase.roles import Connection, Row, acting_as, count, register, upload
from tests.supabase.test_retention import ago, completeness, leaves, old_partitions, remember, retire, sent_by
from tests.supabase.test_rollups import assert_alike, kept, roll_up

UPLOADERS = 3
BATCHES = 80
ROWS = 400


@pytest.fixture
def racing(postgres17: str) -> Iterator[str]:
    """The URL of a database of its own, because sessions see one another only after a commit."""
    url = new_database(postgres17, "racing")
    applied = migrate(url)
    assert applied.returncode == 0, applied.stderr
    yield url
    with psycopg.connect(postgres17, autocommit=True) as connection:
        connection.execute("drop database racing with (force)")


def connect(url: str) -> Connection:
    return psycopg.connect(url, row_factory=dict_row, autocommit=True)


def batches_of(device_id: int, seed: int) -> list[list[Row]]:
    """Return batches of one pool of rows over three weeks: the oldest first, and now and then any one."""
    pool = [
        ago(device_id, seq, 1 + 21 * (1 - seq / ROWS), cpu_percent=seq % 97) for seq in range(1, ROWS + 1)
    ]
    choose = random.Random(seed)
    batches = []
    for number in range(BATCHES):
        first = number * (ROWS - 40) // BATCHES
        late = choose.sample(pool, 1) if number % 4 == 0 else []
        batches.append([*choose.sample(pool[first : first + 40], 25), *late])
    return batches


def test_whatever_happens_at_once_ends_like_a_recomputation(racing: str) -> None:
    with connect(racing) as database:
        hub = register(database, "hub", kind="hub")
        # Partitions that are there when retention begins, and too old.
        old_partitions(database, "device_heartbeats", 30)
        before = leaves(database, "device_heartbeats")
    batches = [batches_of(hub, seed) for seed in range(UPLOADERS)]
    is_over = Event()

    def send(mine: list[list[Row]]) -> None:
        with connect(racing) as database:
            for batch in mine:
                # As the hub, whose batches take turns.
                with acting_as(database, "device", hub):
                    upload(database, "device_heartbeats", batch)

    def repeat(work: Callable[[Connection], object]) -> None:
        with connect(racing) as database:
            while not is_over.is_set():
                work(database)

    with ThreadPoolExecutor() as pool:
        jobs = [
            pool.submit(repeat, lambda database: roll_up(database, 20)),
            pool.submit(repeat, lambda database: database.execute("select private.apply_retention()")),
        ]
        try:
            for sender in [pool.submit(send, mine) for mine in batches]:
                sender.result()
        finally:
            is_over.set()
        for job in jobs:
            job.result()

    with connect(racing) as database:
        while roll_up(database):
            pass
        retire(database)
        assert count(database, "device_heartbeats") < ROWS
        assert leaves(database, "device_heartbeats") < before
        database.execute(
            "create temporary table everything_sent (like public.device_heartbeats including all)"
        )
        sent = [row for mine in batches for batch in mine for row in batch]
        remember(database, sent)
        assert_alike(kept(database, "device_metrics_5min"), sent_by(database, "5 minutes"))
        assert_alike(kept(database, "device_metrics_daily"), sent_by(database, "1 day"))
        (found,) = completeness(database)
        assert found["rows_stored"] == len({row["seq"] for row in sent})
        assert found["duplicates"] == 0
