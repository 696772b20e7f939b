"""A real hub for load benchmarks: Modbus TCP slaves with 100 float points each, described without a file.

Run as a process of its own: reads a JSON line with ports, data_dir, interval_s, heartbeat_s and optionally
cloud {url, publishable_key, device_secret} from standard input, then runs until SIGTERM.
"""

import json
import sys
from pathlib import Path
from typing import Any

import uvloop

from hub.config import BusSection, CloudSection, HubConfig, HubSection, OutboxSection
from hub.logging_io import configure_logging
from hub.modbus.points import Point
from hub.modbus.settings import Transmitter
from hub.pipeline.settings import DeviceSettings, PointSettings
from hub.run import run_hub
from hub.site import Site, bus_settings
from shared_schema.metrics import ENVIRONMENT

HUB_KEY = "bench-hub"
POINTS_PER_SLAVE = 100
# The slaves' values lie between 0 and 7425; this brings each metric of the kind into its range.
_SCALE = {"pressure_hpa": (0.1, 300.0)}
_USUAL = (0.001, 0.0)


def device_keys(slave: int) -> list[str]:
    """Return the devices one slave carries: as many as it takes to give its points a metric each."""
    per_device = len(ENVIRONMENT.fields)
    return [f"s{slave}-d{first // per_device}" for first in range(0, POINTS_PER_SLAVE, per_device)]


def points_of(device: int) -> tuple[Point, ...]:
    """Return the points of one of a slave's devices."""
    names = ENVIRONMENT.field_names
    first = device * len(names)
    return tuple(
        Point(
            metric=name, address=2 * number, type="float32", scale=_SCALE.get(name, _USUAL)[0],
            offset=_SCALE.get(name, _USUAL)[1],
        )
        for number, name in enumerate(names, first)
        if number < POINTS_PER_SLAVE
    )  # fmt: skip


def site_of(ports: list[int], interval_s: float) -> tuple[list[BusSection], Site]:
    """Return the buses and the site behind so many slaves."""
    sections = [BusSection(name=f"s{i}", host="127.0.0.1", tcp_port=port) for i, port in enumerate(ports)]
    transmitters: list[Transmitter] = []
    devices: list[DeviceSettings] = []
    maps = [points_of(device) for device in range(len(device_keys(0)))]
    settings = [tuple(PointSettings(point.metric) for point in points) for points in maps]
    for slave in range(len(ports)):
        for device, key in enumerate(device_keys(slave)):
            transmitters.append(
                Transmitter(key, 1, interval_s, maps[device], model="bench-slave", bus=f"s{slave}")
            )
            devices.append(DeviceSettings(key, ENVIRONMENT, settings[device], interval_s))
    return sections, Site(tuple(map(bus_settings, sections)), tuple(transmitters), tuple(devices))


def main() -> None:
    """Run the hub that standard input describes."""
    wanted: dict[str, Any] = json.loads(sys.stdin.readline())
    sections, site = site_of(wanted["ports"], wanted["interval_s"])
    cloud = CloudSection(**wanted["cloud"]) if wanted.get("cloud") else None
    hub = HubSection(device_key=HUB_KEY, data_dir=Path(wanted["data_dir"]), heartbeat_s=wanted["heartbeat_s"])
    config = HubConfig(hub=hub, cloud=cloud, outbox=OutboxSection(min_free_bytes=0), bus=tuple(sections))
    configure_logging("error")
    uvloop.run(run_hub(config, site))


if __name__ == "__main__":
    main()
