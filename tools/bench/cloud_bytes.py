"""cloud-bytes: what a reading costs in the cloud and on its way. A reading is a row with all its metrics.

Rows go in as the device sends them, a thousand a batch, one a minute for each of eight devices.
"""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import uvloop

from hub.ports import Batch
from hub.uplink.http_io import HttpTransport
from hub.uplink.rows import body_of, insert_of
from shared_schema.enums import Lane
from shared_schema.limits import ROWS_PER_REQUEST
from shared_schema.metrics import TANK, Kind
from tools.bench.certificate import make_certificate
from tools.bench.cloud_database import BenchHub, cloud_database, register_hub
from tools.bench.cloud_history import roll_up_dirty
from tools.bench.harness import Outcome, Row
from tools.bench.https_sink import https_sink
from tools.bench.postgrest import as_caller, device_claims, types_of
from tools.bench.postgrest import insert_of as statement_of
from tools.sim_fleet.outbox import FleetOutbox
from tools.sim_fleet.plan import StreamPlan
from tools.sim_fleet.readings import KINDS

BATCHES, DEVICES = 80, 8  # seven days of eight devices at one reading a minute
MINUTE_MS, DAY_MS = 60_000, 86_400_000
DAYS_AGO = 21  # a week that has passed and has a leaf of its own
FEW = 2  # readings of one kind that a hub with eight devices of all kinds sends each minute
TOKEN = "x" * 400  # about the length of a device token
API_KEY = "sb_publishable_" + "x" * 31


def run(scale: float = 1.0) -> Outcome:
    """Store rows of each kind, and measure files, log and wire."""
    batches = max(2, round(BATCHES * scale))
    rows: list[Row] = []
    with cloud_database() as database, psycopg.connect(database.url, autocommit=True) as connection:
        for kind in KINDS:
            hub = register_hub(connection, f"hub-{kind.name}", _devices(kind))
            rows += _stored(connection, kind, hub, batches)
        rows += _rolled_up(connection, batches * ROWS_PER_REQUEST)
    for count in (ROWS_PER_REQUEST, FEW):
        rows += _wire(count)
    return Outcome("cloud-bytes", rows)


def _devices(kind: Kind) -> dict[str, str]:
    return {f"{kind.name}-{number + 1}": kind.name for number in range(DEVICES)}


def _stored(connection: psycopg.Connection[Any], kind: Kind, hub: BenchHub, batches: int) -> list[Row]:
    statement = statement_of(kind.table, kind, types_of(connection, kind.table))
    claims = device_claims(hub.device_id, hub.key)
    connection.execute("checkpoint")
    heap_before, index_before = _sizes(connection, kind.table)
    log_before = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn")
    sent = 0
    for batch in _batches(kind, batches, ROWS_PER_REQUEST):
        body = body_of(batch, kind, range(len(batch)), hub.ids).decode()
        sent += as_caller(connection, claims, statement, body, f"/{kind.table}")
    log = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn") - log_before
    connection.execute(f"vacuum (analyze) public.{kind.table}".encode())
    heap, index = _sizes(connection, kind.table)
    return [
        Row(f"{kind.name}: rows", (heap - heap_before) / sent, "bytes/reading"),
        Row(f"{kind.name}: primary key", (index - index_before) / sent, "bytes/reading"),
        Row(f"{kind.name}: write-ahead log", log / sent, "bytes/reading"),
    ]


def _sizes(connection: psycopg.Connection[Any], table: str) -> tuple[float, float]:
    """Return bytes of all leaves: rows, and indexes."""
    tree = f"from pg_partition_tree('public.{table}'::regclass) where isleaf"
    heap = _one(connection, f"select sum(pg_table_size(relid)) {tree}")
    return heap, _one(connection, f"select sum(pg_indexes_size(relid)) {tree}")


def _rolled_up(connection: psycopg.Connection[Any], readings: int) -> list[Row]:
    """Return what the roll-ups of tanks take, for each reading that is in them."""
    names = ("telemetry_tank_hourly", "telemetry_tank_daily")
    if not all(_one(connection, f"select (to_regclass('public.{name}') is not null)::int") for name in names):
        return [Row("rolled up: the tables are not there", 0, "")]
    before = [_whole(connection, name) for name in names]
    roll_up_dirty(connection)
    return [
        Row(
            f"tank: {name.rpartition('_')[2]} roll-up",
            (_whole(connection, name) - size) / readings,
            "bytes/reading",
        )
        for name, size in zip(names, before, strict=True)
    ]


def _whole(connection: psycopg.Connection[Any], table: str) -> float:
    connection.execute(f"vacuum public.{table}".encode())
    return _one(
        connection,
        f"""
        select pg_total_relation_size('public.{table}') + coalesce(sum(pg_total_relation_size(relid)), 0)
        from pg_partition_tree('public.{table}') where relid <> 'public.{table}'::regclass
        """,
    )


def _one(connection: psycopg.Connection[Any], query: str) -> float:
    found = connection.execute(query.encode()).fetchone()
    return float(found[0] or 0) if found else 0.0


def _batches(kind: Kind, batches: int, rows: int) -> Iterator[Batch]:
    start_ms = round(time.time() * 1000) // DAY_MS * DAY_MS - DAYS_AGO * DAY_MS
    outbox = FleetOutbox()
    outbox.begin(
        StreamPlan(key, kind, number, 7, start_ms + 20 * number, MINUTE_MS)
        for number, key in enumerate(_devices(kind))
    )
    each = max(1, rows // DEVICES)
    for number in range(batches):
        outbox.advance(start_ms + 20 * DEVICES + ((number + 1) * each - 1) * MINUTE_MS)
        batch = uvloop.run(outbox.take(rows, Lane.LIVE))
        if batch is not None:
            yield batch


def _wire(readings: int) -> list[Row]:
    """Measure one upload of tanks, by the hub's own HTTP."""
    (batch,) = _batches(TANK, 1, readings)
    ids = {key: 1000 + number for number, key in enumerate(_devices(TANK))}
    body = body_of(batch, TANK, range(len(batch)), ids)
    whole = _sent(body) / len(batch)
    name = f"on the wire, {readings:,} readings of tanks a batch"
    return [
        Row(f"{name}: JSON", len(body) / len(batch), "bytes/reading"),
        Row(f"{name}: HTTP beside it", whole - len(body) / len(batch), "bytes/reading"),
    ]


def _sent(body: bytes) -> int:
    async def send(url: str, chain: Path) -> int:
        tls = ssl.create_default_context(cafile=str(chain))
        async with HttpTransport(url, API_KEY, time.monotonic, tls=tls) as transport:
            await transport.exchange(insert_of(TANK, body, TOKEN))
            traffic = transport.traffic()
        return traffic.bytes_sent + traffic.bytes_received

    with TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        with https_sink(certificate) as url:
            return uvloop.run(send(url, certificate.chain))
