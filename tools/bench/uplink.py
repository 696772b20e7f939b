"""What it costs to build and send readings over HTTPS: the uplink against supabase's own client.

Both start from the same columns and send to the same server, batch by batch. The reference makes a list of
dictionaries of them, as its insert() wants it; the time stamps by datetime.isoformat, as one would.
The goal is for readings of one value each (some 130 bytes of JSON); those of four values are for orientation.
"""

import random
import ssl
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
import orjson
import uvloop

from hub.ports import Batch, Stamp, Value
from hub.uplink.delivery_service import deliver
from hub.uplink.directory import Directory
from hub.uplink.exchange import Answer
from hub.uplink.http_io import HttpTransport
from hub.uplink.parcel import Parcel
from hub.uplink.session_service import Session
from hub.uplink.token import Token
from shared_schema.enums import Lane, TimeQuality
from shared_schema.limits import ROWS_PER_REQUEST
from shared_schema.metrics import TANK
from shared_schema.records import columns_of
from supabase import Client, ClientOptions, create_client
from tools.bench.certificate import make_certificate
from tools.bench.harness import Outcome, Row, paired
from tools.bench.https_sink import https_sink

ROUNDS = 5
READINGS = 1_000_000
REFERENCE_SHARE = 0.1  # the reference takes several times as long, and as much for each reading
DEVICES = 50
DISTINCT_BATCHES = 20
CPU_S_PER_MILLION = 1.0
LEAST_READINGS_TO_JUDGE = 100_000
TOKEN = "bench"
API_KEY = "sb_publishable_bench"


class _Clock:
    def monotonic_s(self) -> float:
        return time.monotonic()

    def stamp(self, monotonic_s: float) -> Stamp:
        return Stamp(round(monotonic_s * 1000), TimeQuality.SYNCED)


class _NoEvents:
    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        raise RuntimeError(f"{level}: {code}: {message} ({device_key})")

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        pass


def run(scale: float = 1.0) -> Outcome:
    """Return CPU seconds for a million readings of tanks, a thousand a request."""
    readings = max(ROWS_PER_REQUEST, round(READINGS * scale / ROWS_PER_REQUEST) * ROWS_PER_REQUEST)
    few = max(ROWS_PER_REQUEST, round(readings * REFERENCE_SHARE / ROWS_PER_REQUEST) * ROWS_PER_REQUEST)
    can_judge = readings >= LEAST_READINGS_TO_JUDGE
    narrow, wide = (_measured(readings, few, values) for values in (1, 4))
    goal, is_met = f"<= {CPU_S_PER_MILLION:g}", narrow.ours_s <= CPU_S_PER_MILLION if can_judge else None
    return Outcome(
        "uplink",
        [
            Row("build and send 1,000,000 readings of 1 value", narrow.ours_s, "CPU-s", goal, is_met),
            Row("supabase insert(list), the same", narrow.reference_s, "CPU-s"),
            Row("ours / supabase", narrow.ratio, ""),
            Row("on the wire, heads included", narrow.bytes_per_reading, "bytes/reading"),
            Row("build and send 1,000,000 readings of 4 values", wide.ours_s, "CPU-s"),
            Row("supabase insert(list), the same", wide.reference_s, "CPU-s"),
            Row("ours / supabase", wide.ratio, ""),
            Row("on the wire, heads included", wide.bytes_per_reading, "bytes/reading"),
        ],
    )


class _Figures(NamedTuple):
    ours_s: float
    reference_s: float
    ratio: float
    bytes_per_reading: float


def _measured(readings: int, few: int, values: int) -> _Figures:
    # Over and over the same few: the outbox hands them out fresh too, a million at once would measure memory.
    batches = [_batch(number, values) for number in range(DISTINCT_BATCHES)]
    sent: list[float] = []
    with TemporaryDirectory() as folder:
        certificate = make_certificate(Path(folder))
        with https_sink(certificate) as url:
            tls = ssl.create_default_context(cafile=str(certificate.chain))
            client = _supabase(url, tls)
            ours_s, reference_s, ratio = paired(
                ROUNDS,
                lambda: _cpu_s_of_ours(url, tls, _repeated(batches, readings), sent) / readings * READINGS,
                lambda: _cpu_s_of_reference(client, _repeated(batches, few)) / few * READINGS,
            )
    return _Figures(ours_s, reference_s, ratio, sent[-1] / readings)


def _repeated(batches: list[Batch], readings: int) -> Iterable[Batch]:
    return islice(cycle(batches), readings // ROWS_PER_REQUEST)


def _batch(number: int, values: int) -> Batch:
    dice = random.Random(number)
    rows = range(ROWS_PER_REQUEST)
    filled: list[list[Value]] = [
        [round(dice.uniform(50, 400), 1) for _ in rows],
        [dice.randrange(100_000) for _ in rows],
        [round(dice.uniform(5, 25), 2) for _ in rows],
        [dice.randrange(200, 800) for _ in rows],
    ]
    first_ms = 1_800_000_000_000 + number * ROWS_PER_REQUEST * 20
    return Batch(
        number,
        Lane.LIVE,
        TANK.name,
        [f"tank-{row % DEVICES}" for row in rows],
        [123_456_789] * ROWS_PER_REQUEST,
        [number * ROWS_PER_REQUEST // DEVICES + row // DEVICES + 1 for row in rows],
        [first_ms + row * 20 + dice.randrange(20) for row in rows],
        [0] * ROWS_PER_REQUEST,
        [0] * ROWS_PER_REQUEST,
        [*filled[:values], *[[None] * ROWS_PER_REQUEST for _ in TANK.fields[values:]]],
    )


def _cpu_s_of_ours(url: str, tls: ssl.SSLContext, batches: Iterable[Batch], sent: list[float]) -> float:
    return uvloop.run(_send_ours(url, tls, batches, sent))


async def _send_ours(url: str, tls: ssl.SSLContext, batches: Iterable[Batch], sent: list[float]) -> float:
    clock = _Clock()
    token = Token("hub", "")
    token.take(Answer(200, orjson.dumps({"access_token": TOKEN, "expires_in": 7200})), clock.monotonic_s())
    known = Directory(url)
    known.read_json(orjson.dumps({"cloud": url, "devices": {f"tank-{n}": 1000 + n for n in range(DEVICES)}}))
    async with HttpTransport(url, API_KEY, clock.monotonic_s, tls=tls) as transport:
        session = Session(transport, clock, _NoEvents(), token=token, known=known)
        began_s = time.process_time()
        for batch in batches:
            parcel = Parcel(batch)
            await deliver(parcel, session, 1)
            if len(parcel.stored) != len(batch):
                raise RuntimeError(f"the server did not take a batch: {parcel.trouble}")
        took_s = time.process_time() - began_s
        sent.append(transport.traffic().bytes_sent)
    return took_s


def _supabase(url: str, tls: ssl.SSLContext) -> Client:
    options = ClientOptions(httpx_client=httpx.Client(verify=tls))
    return create_client(url, API_KEY, options)


def _cpu_s_of_reference(client: Client, batches: Iterable[Batch]) -> float:
    ids = {f"tank-{number}": 1000 + number for number in range(DEVICES)}
    names = columns_of(TANK)
    began_s = time.process_time()
    for batch in batches:
        moments = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in batch.recorded_at_ms]
        devices = [ids[key] for key in batch.device_keys]
        columns = (devices, batch.epochs, batch.seqs, moments, batch.qualities, batch.time_qualities)
        filled = [column for column in batch.columns if column[0] is not None]
        rows = [dict(zip(names, row, strict=False)) for row in zip(*columns, *filled, strict=True)]
        client.table(TANK.table).insert(rows, returning="minimal").execute()  # type: ignore[arg-type]
    return time.process_time() - began_s
