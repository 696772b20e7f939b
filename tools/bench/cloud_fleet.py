"""cloud-fleet: how many hubs one Postgres 17 carries, each with eight devices, read once a minute.

The load is that of the simulated fleet's real uplinks, straight into the database as PostgREST executes it.
It is raised by speeding time up: a hub at ten times the speed sends what ten hubs send. The load generator
runs on the same cores; the CPU of both is told apart.
"""

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import uvloop

from hub.uplink.exchange import Transport
from hub.uplink.http_io import HttpTransport
from tools.bench.alert_rules import put_rules
from tools.bench.cloud_database import CloudDatabase, cloud_database, register_hub
from tools.bench.harness import Outcome, Row
from tools.bench.postgres_transport import PostgresTransport
from tools.bench.server_use import ServerUse, server_use
from tools.local_cloud.process_io import CloudProcess
from tools.sim_fleet.faults import Faults
from tools.sim_fleet.fleet import Fleet, Moment
from tools.sim_fleet.plan import FleetPlan
from tools.sim_fleet.registration import register_fleet

HUBS, DEVICES, STEP_S = 400, 8, 20.0
TENANTS = 20  # each with its alert rules
FIRST_SPEED, FASTER, REFINEMENTS = 2.0, 2.0, 2
LIMIT_S = 1.0  # for 95 of 100 batches
BACKLOG_S = 2.0  # what is made in so long may be under way
MOST_STEPS = 12
REST_HUBS, REST_SPEED = 40, 60.0


@dataclass(frozen=True, slots=True)
class _Step:
    """What one load led to. hubs: at real speed."""

    hubs: float
    end: Moment
    use: ServerUse
    seconds: float

    @property
    def is_carried(self) -> bool:
        """Whether batches came through in time and nothing heaped up."""
        late = self.end.rows_waiting > self.end.rows_made / self.seconds * BACKLOG_S
        return self.end.p95_s <= LIMIT_S and not late


def run(scale: float = 1.0) -> Outcome:
    """Raise the load until it is too much, then once over REST."""
    plan = FleetPlan(max(5, round(HUBS * scale)), DEVICES, seconds=max(2.0, STEP_S * scale))
    with cloud_database() as database:
        with psycopg.connect(database.url, autocommit=True) as connection:
            ids = _registered(connection, plan)
        steps = _climb(database, plan, ids, MOST_STEPS if scale >= 0.1 else 2)
    most = max((step for step in steps if step.is_carried), key=lambda step: step.hubs, default=steps[0])
    too_much = min((step for step in steps if not step.is_carried), key=lambda step: step.hubs, default=None)
    rows = [*_figures(most), *(_too_much(too_much) if too_much else [])]
    return Outcome("cloud-fleet", [*rows, *_over_rest(plan)])


def _figures(most: _Step) -> list[Row]:
    use, hubs = most.use, most.hubs
    return [
        Row("hubs carried, generator on the same two cores", hubs, "hubs"),
        Row("… batches", most.end.batches / most.seconds, "batches/s"),
        Row("… 95 % of batches within", 1000 * most.end.p95_s, "ms"),
        Row("… CPU of Postgres", use.server_cores, "cores"),
        Row("… CPU of the load generator", use.client_cores, "cores"),
        Row("… hubs for each core of Postgres", hubs / max(use.server_cores, 1e-9), "hubs"),
        Row("… write-ahead log", use.wal_bytes / most.seconds / 1e6, "MB/s"),
        Row("… one fsync of it", 1000 * use.wal_sync_s / max(1, use.wal_syncs), "ms"),
        Row("… time in fsync", 100 * use.wal_sync_s / use.seconds, "%"),
    ]


def _too_much(step: _Step) -> list[Row]:
    use = step.use
    waits = [
        Row(f"… connections found at: {wait}", 100 * use.share_of(wait), "% of samples")
        for wait, _ in use.waits.most_common(5)
    ]
    return [
        Row("too many hubs", step.hubs, "hubs"),
        Row("… 95 % of batches within", 1000 * step.end.p95_s, "ms"),
        Row("… rows waiting at the end", step.end.rows_waiting, "rows"),
        Row("… CPU of Postgres", use.server_cores, "cores"),
        Row("… CPU of the load generator", use.client_cores, "cores"),
        *waits,
    ]


def _registered(connection: psycopg.Connection[Any], plan: FleetPlan) -> dict[str, int]:
    ids: dict[str, int] = {}
    for number in range(plan.hubs):
        behind = {key: kind.name for key, kind in plan.devices_of(number)}
        hub = register_hub(connection, plan.hub_key(number), behind, f"Tenant {number % TENANTS}")
        ids[hub.key] = hub.device_id
    for number in range(TENANTS):
        put_rules(connection, f"Tenant {number}")
    return ids


def _climb(database: CloudDatabase, plan: FleetPlan, ids: dict[str, int], most_steps: int) -> list[_Step]:
    """Double the load until it is too much, then halve the distance to the last that was not."""
    steps: list[_Step] = []
    speed, good, bad, refinements = FIRST_SPEED, 0.0, 0.0, REFINEMENTS
    while len(steps) < most_steps:
        step = uvloop.run(_step(database, replace(plan, speed_up=speed), ids))
        steps.append(step)
        good, bad = (speed, bad) if step.is_carried else (good, speed)
        if bad and (not good or not refinements):
            break
        refinements -= bool(bad)
        speed = (good + bad) / 2 if bad else speed * FASTER
    return steps


async def _step(database: CloudDatabase, plan: FleetPlan, ids: dict[str, int]) -> _Step:
    async with PostgresTransport(database.url, ids) as transport:
        fleet = _fleet(plan, dict.fromkeys(ids, ""), transport, database.url)
        has_begun = asyncio.Event()
        playing = asyncio.create_task(_play(fleet, has_begun))
        await has_begun.wait()
        async with server_use(database.url, database.pid) as use:
            await playing
    return _Step(plan.hubs * plan.speed_up, fleet.moment("ended"), use, plan.seconds)


def _fleet(plan: FleetPlan, secrets: dict[str, str], transport: Transport, url: str) -> Fleet:
    return Fleet(plan, Faults(), secrets, transport=transport, url=url, now_ms=round(time.time() * 1000))


async def _play(fleet: Fleet, has_begun: asyncio.Event) -> None:
    """Let a fleet run as long as it makes rows; what waits then is the backlog."""
    stop = asyncio.Event()

    def show(moment: Moment) -> None:
        if moment.phase == "running":
            has_begun.set()
        elif moment.phase == "emptying":
            stop.set()

    try:
        await fleet.run(show, stop)
    finally:
        has_begun.set()


def _over_rest(plan: FleetPlan) -> list[Row]:
    """Give the local cloud more than it carries, and return what it stores."""
    plan = replace(plan, hubs=min(plan.hubs, REST_HUBS), speed_up=REST_SPEED)
    with CloudProcess() as cloud:
        secrets = register_fleet(cloud.admin, plan, cloud.secret_key, lambda _: None)
        end = uvloop.run(_rest_step(cloud, plan, secrets))
    rows_per_s = end.rows_stored / plan.seconds
    return [
        Row("local cloud over REST, more than it carries", end.batches / plan.seconds, "batches/s"),
        Row("… rows stored", rows_per_s, "rows/s"),
        Row("… 95 % of batches within", 1000 * end.p95_s, "ms"),
    ]


async def _rest_step(cloud: CloudProcess, plan: FleetPlan, secrets: dict[str, str]) -> Moment:
    async with HttpTransport(cloud.url, cloud.publishable_key, time.monotonic) as transport:
        fleet = _fleet(plan, secrets, transport, cloud.url)
        await _play(fleet, asyncio.Event())
    return fleet.moment("ended")
