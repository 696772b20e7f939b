"""modbus-tcp-scale: a thousand Modbus TCP slaves with 100 float points each, every second, to the disk.

Reference in the same run: pymodbus clients that read the same registers from as many slaves as often, decode
them, and do nothing else with them.
"""

import json
import subprocess
import sys
from functools import partial
from statistics import median

from tools.bench.harness import Outcome, Row, at_most
from tools.bench.hub_under_load import HubUnderLoad, Use
from tools.bench.scale_hub import POINTS_PER_SLAVE
from tools.sim.tcp_farm import TcpFarm

SLAVES = 1000
REFERENCE_SLAVES = 200
STRETCH_S = 10.0
SETTLE_S = 15.0
ROUNDS = 5


def run(scale: float = 1.0) -> Outcome:
    """Measure the hub and the reference in turn."""
    slaves = max(10, round(SLAVES * scale))
    with TcpFarm(slaves) as farm, HubUnderLoad(farm.ports, partial(points_given, farm)) as hub:
        hub.measure(SETTLE_S)
        missed_before = farm.report().missed
        uses = [hub.measure(STRETCH_S) for _ in range(ROUNDS)]
        missed = farm.report().missed - missed_before
    plain = _plain_pymodbus(min(slaves, REFERENCE_SLAVES))
    return Outcome("modbus-tcp-scale", _rows(uses, missed, plain, is_judged=scale >= 1))


def points_given(farm: TcpFarm) -> int:
    """Return how many values a farm has given: each poll takes all of a slave's."""
    return sum(farm.report().polls) * POINTS_PER_SLAVE


def _rows(uses: list[Use], missed: int, plain_cpu_s: float, *, is_judged: bool) -> list[Row]:
    per_million = median(use.cpu_s_per_million for use in uses)
    rows = [
        at_most("missed periods, as the slaves count", missed, "", 0),
        at_most("cores busy", median(use.cores for use in uses), "", 1),
        Row("points per second", median(use.points / use.seconds for use in uses), "/s"),
        at_most("CPU of the hub", per_million, "CPU-s/M points", 10),
        Row("pymodbus alone, reading and decoding", plain_cpu_s, "CPU-s/M points"),
        Row("hub ÷ pymodbus alone", per_million / plain_cpu_s, "x"),
        at_most("memory of the hub", max(use.rss_bytes for use in uses) / 1e6, "MB", 200),
        Row("written to the disk", median(use.bytes_written / max(1, use.points) for use in uses), "B/point"),
    ]
    return rows if is_judged else [row.__class__(row.label, row.value, row.unit) for row in rows]


def _plain_pymodbus(slaves: int) -> float:
    """Return CPU seconds per million points of pymodbus alone."""
    with TcpFarm(slaves) as farm:
        answer = subprocess.run(
            [sys.executable, "-m", "tools.bench.plain_pymodbus"],
            input=json.dumps({"ports": farm.ports, "seconds": STRETCH_S}),
            capture_output=True,
            text=True,
            check=True,
        )
    return float(json.loads(answer.stdout)["cpu_s_per_million"])
