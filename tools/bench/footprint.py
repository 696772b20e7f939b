"""footprint: what a hub costs when nothing happens, and at a thousand points a second up to a cloud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from tools.bench.harness import Outcome, Row, at_most
from tools.bench.hub_under_load import HubUnderLoad, Use
from tools.bench.modbus_tcp_scale import points_given
from tools.bench.scale_hub import HUB_KEY, device_keys
from tools.local_cloud.process_io import CloudProcess
from tools.sim.tcp_farm import TcpFarm

SLAVES = 10  # times 100 points: 1000 points a second
IDLE_S, LOADED_S, ROUNDS = 6.0, 12.0, 5
SETTLE_S = 20.0


def run(scale: float = 1.0) -> Outcome:
    """Measure an idle hub, then a loaded one."""
    slaves = max(1, round(SLAVES * scale))
    idle = _measured([], lambda: 0, None, IDLE_S)
    with (
        CloudProcess(None, 0) as cloud,
        TcpFarm(slaves, processes=1) as farm,
        _registered(cloud, slaves) as keys,
    ):
        loaded = _measured(farm.ports, partial(points_given, farm), keys, LOADED_S)
    return Outcome("footprint", [*_rows("idle", idle, 1, 80), *_rows("1000 points/s", loaded, 10, 100)])


def _measured(
    ports: list[int], count_points: Callable[[], int], cloud: dict[str, Any] | None, seconds: float
) -> list[Use]:
    with HubUnderLoad(ports, count_points, cloud=cloud) as hub:
        hub.measure(SETTLE_S)
        return [hub.measure(seconds) for _ in range(ROUNDS)]


@contextmanager
def _registered(cloud: CloudProcess, slaves: int) -> Iterator[dict[str, Any]]:
    secret = cloud.admin.register_device(HUB_KEY, "hub").secret
    for slave in range(slaves):
        for key in device_keys(slave):
            cloud.admin.register_device(key, "transmitter", hub=HUB_KEY)
    yield {"url": cloud.url, "publishable_key": cloud.publishable_key, "device_secret": secret}


def _rows(name: str, uses: list[Use], percent: float, rss_mb: float) -> list[Row]:
    rows = [
        at_most(f"{name}: CPU", 100 * median(use.cores for use in uses), "% of a core", percent),
        at_most(f"{name}: memory", max(use.rss_bytes for use in uses) / 1e6, "MB", rss_mb),
    ]
    if written := median(use.bytes_written for use in uses):
        per_point = written / max(1, median(use.points for use in uses))
        rows.append(Row(f"{name}: written to the disk", per_point if uses[0].points else written, "B/point"))
    return rows
