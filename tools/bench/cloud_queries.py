"""cloud-queries: what a dashboard asks of 20 million rows, 500 devices, 90 days, beside the plain queries.

Asked as a viewer, under row-level security, as PostgREST asks: the answer is one text of JSON. Times are of
the statement, 95 of 100 within; the first of each kind is not counted.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, LiteralString

import psycopg

from tools.bench.cloud_database import cloud_database
from tools.bench.cloud_history import DAYS, History, add_viewer, load_history
from tools.bench.harness import Outcome, Row, at_most
from tools.bench.postgrest import SETTINGS, settings_for

ROWS, DEVICES, RUNS = 20_000_000, 500, 200
LEAST_DEVICES, FULL_FLEET_SCALE = 10, 0.1
PLAIN_RUNS, PLAIN_BUDGET_S = 200, 30.0  # the plain ones may take seconds each
LEAST_SCALE_TO_JUDGE = 0.1
POINTS = 300


@dataclass(frozen=True, slots=True)
class _Question:
    """sql, plain: ours and the obvious one; parameters by name. needs: the function or view ours is about."""

    label: str
    bound_ms: float
    sql: LiteralString
    plain: LiteralString
    needs: LiteralString = "public.device_state"


_CHART: LiteralString = """
select * from public.telemetry_chart(
  %(device_id)s::integer, 'water_level_cm', now() - %(span)s::interval, now(), %(points)s::integer
)
"""
_PLAIN_CHART: LiteralString = """
select date_bin(%(span)s::interval / %(points)s::integer, recorded_at, 'epoch') as bucket_at,
  avg(water_level_cm) as mean, min(water_level_cm) as min, max(water_level_cm) as max, count(*) as readings
from public.telemetry_tank
where device_id = %(device_id)s::integer and recorded_at >= now() - %(span)s::interval
group by 1 order by 1
"""
_DAY, _QUARTER = "24 hours", f"{DAYS} days"
_QUESTIONS = (
    _Question(
        "latest of all devices",
        5,
        "select device_id, status, last_seen_at, latest from public.device_state",
        "select distinct on (device_id) * from public.telemetry_tank order by device_id, recorded_at desc",
    ),
    _Question(f"chart of {_DAY}", 5, _CHART, _PLAIN_CHART, "public.telemetry_chart"),
    _Question(f"chart of {_QUARTER}", 20, _CHART, _PLAIN_CHART, "public.telemetry_chart"),
    _Question(
        "summary of the fleet",
        20,
        "select * from public.dashboard_summary",
        """
        select count(*) as devices_total,
          count(*) filter (where seen.last_at > now() - interval '15 minutes') as devices_online
        from public.devices as device
        left join (
          select device_id, max(recorded_at) as last_at from public.telemetry_tank group by device_id
        ) as seen on seen.device_id = device.id
        """,
        "public.dashboard_summary",
    ),
    _Question(
        "list of devices with their state",
        20,
        """
        select device.id, device.device_key, device.name, device.kind, device.status, device.tenant_id,
          device.location, state.status as state, state.last_seen_at, state.latest
        from public.devices as device
        left join public.device_state as state on state.device_id = device.id
        order by device.name limit 1000
        """,
        """
        select device.id, device.device_key, device.name, device.kind, device.status, newest.*
        from public.devices as device
        left join (
          select distinct on (device_id) * from public.telemetry_tank order by device_id, recorded_at desc
        ) as newest on newest.device_id = device.id
        order by device.name limit 1000
        """,
    ),
)


def run(scale: float = 1.0) -> Outcome:
    """Load, then ask. At scale 1 loading takes some minutes."""
    with cloud_database() as database, psycopg.connect(database.url, autocommit=True) as connection:
        devices = max(LEAST_DEVICES, round(DEVICES * min(1.0, scale / FULL_FLEET_SCALE)))
        history = load_history(connection, round(ROWS * scale), devices)
        viewer = _Viewer(connection, add_viewer(connection), history)
        rows = [
            Row("telemetry rows", history.rows, "rows"),
            Row("rolled up", float(history.has_rollups), ""),
        ]
        for question in _QUESTIONS:
            rows += viewer.ask(question, max(5, round(RUNS * min(1.0, scale))))
    if scale < LEAST_SCALE_TO_JUDGE:
        rows = [replace(row, is_met=None) for row in rows]
    return Outcome("cloud-queries", rows)


class _Viewer:
    """Somebody signed in who looks at one device after the other."""

    def __init__(
        self, connection: psycopg.Connection[Any], claims: Mapping[str, Any], history: History
    ) -> None:
        self._connection = connection
        self._settings = settings_for(claims, "GET", "/")
        self._ids = history.device_ids
        self._asked = 0

    def ask(self, question: _Question, runs: int) -> list[Row]:
        plain, plain_runs = self._p95_ms(question, question.plain, min(runs, PLAIN_RUNS), PLAIN_BUDGET_S)
        beside = Row(f"{question.label}: the plain query, {plain_runs} runs", plain, "ms")
        if not self._has(question.needs):
            return [Row(f"{question.label}: {question.needs} is not there", 0, ""), beside]
        ours, _ = self._p95_ms(question, question.sql, runs, float("inf"))
        return [at_most(f"{question.label}, 95 of 100 within", ours, "ms", question.bound_ms), beside]

    def _has(self, name: str) -> bool:
        found = self._connection.execute(
            "select to_regclass(%(name)s) is not null or to_regproc(%(name)s) is not null", {"name": name}
        ).fetchone()
        return bool(found and found[0])

    def _p95_ms(
        self, question: _Question, query: LiteralString, runs: int, budget_s: float
    ) -> tuple[float, int]:
        """Return the time and how many runs it is of: fewer when they take too long together."""
        self._once(question, query)
        times: list[float] = []
        while len(times) < runs and (len(times) < 3 or sum(times) < budget_s):
            times.append(self._once(question, query))
        times.sort()
        return 1000 * times[min(len(times) - 1, round(0.95 * len(times)))], len(times)

    def _once(self, question: _Question, query: LiteralString) -> float:
        self._asked += 1
        parameters = {
            "device_id": self._ids[self._asked * 37 % len(self._ids)],
            "span": _DAY if _DAY in question.label else _QUARTER,
            "points": POINTS,
        }
        as_json: LiteralString = "select coalesce(json_agg(answer), '[]')::text from ({}) as answer"
        with self._connection.transaction():
            self._connection.execute(SETTINGS, self._settings, prepare=True)
            began_s = time.perf_counter()
            self._connection.execute(as_json.format(query), parameters, prepare=True).fetchall()
            return time.perf_counter() - began_s
