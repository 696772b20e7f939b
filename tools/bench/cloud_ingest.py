"""cloud-ingest: batches as PostgREST executes them, with policies, triggers and indexes, beside a bare table.

Both sides are given the same JSON and commit after each batch, with fsync. The reference is a plain table
with the same columns and primary key, filled by its owner. CPU is that of the one process of Postgres that
serves the connection.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from statistics import median
from typing import Any

import psutil
import psycopg

from shared_schema.limits import ROWS_PER_REQUEST
from shared_schema.metrics import TANK
from tools.bench.alert_rules import put_rules
from tools.bench.cloud_database import TENANT, BenchHub, CloudDatabase, cloud_database, register_hub
from tools.bench.harness import Outcome, Row, at_least, paired
from tools.bench.ingest_sender import Sender, rate_together
from tools.bench.postgrest import as_caller, device_claims, insert_of, types_of
from tools.bench.tank_bodies import TankSite, tanks_of

ROUNDS, ROUNDS_TOGETHER = 5, 3
DAYS_AGO = 40  # apart from the rows of one hub alone; a day further back for each round
BATCHES = 100  # a round
LEAST_SCALE_TO_JUDGE = 0.1
BARE = "bare_tank"
LEAST_RATIO, LEAST_ROWS_PER_S = 0.6, 100_000
PATH = f"/{TANK.table}"
MINUTE_MS = 60_000


def run(scale: float = 1.0) -> Outcome:
    """Measure one connection in pairs with the bare table, then two at once."""
    batches = max(3, round(BATCHES * scale))
    with cloud_database() as database, psycopg.connect(database.url, autocommit=True) as connection:
        hubs = [register_hub(connection, key, tanks_of(key)) for key in ("hub-1", "hub-2")]
        rules = put_rules(connection, TENANT)
        _make_bare(connection)
        alone = _alone(connection, hubs[0], batches)
        rows = [
            *alone,
            *_together(database, hubs, batches),
            Row("alert rules in force", rules, ""),
            Row("Realtime is there", float(database.has_realtime), ""),
        ]
    if scale < LEAST_SCALE_TO_JUDGE:
        rows = [replace(row, is_met=None) for row in rows]
    return Outcome("cloud-ingest", rows)


def _alone(connection: psycopg.Connection[Any], hub: BenchHub, batches: int) -> list[Row]:
    seconds = TankSite(hub.ids, hub.key)
    minutes = TankSite(hub.ids, hub.key, MINUTE_MS, days_ago=80)
    inserts = _Inserts(connection, hub)
    bodies = seconds.bodies(1)
    inserts.ours(bodies)
    inserts.bare(bodies)
    latest: list[str] = []
    cpu: list[tuple[float, float]] = []

    def ours() -> float:
        latest[:] = seconds.bodies(batches)
        return inserts.ours(latest)

    def bare() -> float:
        mine_s = inserts.cpu_s
        rate = inserts.bare(latest)
        cpu.append((mine_s, inserts.cpu_s))
        return rate

    mine, other, ratio = paired(ROUNDS, ours, bare)
    again = inserts.ours(latest)
    late = inserts.ours(minutes.bodies(batches))
    per_batch = 1000 / batches
    return [
        at_least("ingest / the same JSON into a bare table, batch 1000", ratio, "x", LEAST_RATIO),
        Row("one hub", mine, "rows/s"),
        Row("one connection to the bare table", other, "rows/s"),
        Row("one hub, readings a minute apart", late, "rows/s"),
        Row("one hub, batches sent again", again, "rows/s"),
        Row("one hub, Postgres", per_batch * median(pair[0] for pair in cpu), "CPU-ms/batch"),
        Row("bare table, Postgres", per_batch * median(pair[1] for pair in cpu), "CPU-ms/batch"),
    ]


class _Inserts:
    """Both ways for one connection; each returns rows a second. cpu_s: of Postgres, for the last of them."""

    def __init__(self, connection: psycopg.Connection[Any], hub: BenchHub) -> None:
        types = types_of(connection, TANK.table)
        self._connection = connection
        self._claims = device_claims(hub.device_id, hub.key)
        self._ours = insert_of(TANK.table, TANK, types)
        self._bare = insert_of(BARE, TANK, types)
        self._server = psutil.Process(connection.info.backend_pid)
        self.cpu_s = 0.0

    def ours(self, bodies: Sequence[str]) -> float:
        return self._rate(
            bodies, lambda body: as_caller(self._connection, self._claims, self._ours, body, PATH)
        )

    def bare(self, bodies: Sequence[str]) -> float:
        return self._rate(bodies, lambda body: self._connection.execute(self._bare, (body,), prepare=True))

    def _rate(self, bodies: Sequence[str], send: Callable[[str], object]) -> float:
        before, began_s = self._server.cpu_times(), time.perf_counter()
        for body in bodies:
            send(body)
        took_s, after = time.perf_counter() - began_s, self._server.cpu_times()
        self.cpu_s = after.user + after.system - before.user - before.system
        return len(bodies) * ROWS_PER_REQUEST / took_s


def _together(database: CloudDatabase, hubs: Sequence[BenchHub], batches: int) -> list[Row]:
    """Measure two hubs, each in a process of its own."""
    days_ago = count(DAYS_AGO)

    def rate(table: str) -> float:
        day = next(days_ago)
        return rate_together([Sender(database.url, hub, table, batches, day) for hub in hubs])

    ours, bare, ratio = paired(ROUNDS_TOGETHER, lambda: rate(TANK.table), lambda: rate(BARE))
    return [
        at_least("two hubs at once", ours, "rows/s", LEAST_ROWS_PER_S),
        Row("two connections to the bare table", bare, "rows/s"),
        Row("two hubs / two connections to the bare table", ratio, "x"),
    ]


def _make_bare(connection: psycopg.Connection[Any]) -> None:
    connection.execute(f"create table public.{BARE} (like public.{TANK.table} including defaults)".encode())
    connection.execute(
        f"alter table public.{BARE} add primary key (device_id, recorded_at, epoch, seq)".encode()
    )
