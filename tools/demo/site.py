"""The hubs of the demo's site: what the cloud knows of them, and their configurations."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tools.local_cloud.admin_io import CloudAdmin
from tools.sim.demo_site import LINE, TRANSMITTERS

HUB_KEY = "demo-hub"
SECOND_HUB_KEY = "demo-second-hub"  # for nodes alone; it runs while the first is away
NODE_KEYS = ("village-tank", "spring-inlet", "old-well")  # what each measures: tools/sim_nodes/plans.py
RETRY_BASE_S, RETRY_MAX_S = 1.0, 8.0  # an outage of the demo lasts seconds, not hours


class Way(NamedTuple):
    """The way to the cloud."""

    url: str
    publishable_key: str


def register(cloud: CloudAdmin) -> tuple[str, str]:
    """Make the hubs and the devices behind the first known to the cloud; return the hubs' secrets.

    The nodes roam: either hub may send what they bring.
    """
    hub = cloud.register_device(HUB_KEY, "hub")
    second = cloud.register_device(SECOND_HUB_KEY, "hub")
    for transmitter in TRANSMITTERS:
        cloud.register_device(transmitter.device_key, "transmitter", hub=HUB_KEY)
    for key in NODE_KEYS:
        cloud.register_device(key, "node", hub=HUB_KEY, is_roaming=True)
    return hub.secret or "", second.secret or ""


def write_config(folder: Path, way: Way, secret: str, node_port: int, bus_port: str) -> Path:
    """Write the configuration of the demo's hub, whose data is to lie in folder/hub; return its path."""
    sections = [_head(HUB_KEY, "hub", way, secret), _nodes(node_port), _bus(bus_port)]
    sections += [
        _table(
            "[[transmitter]]",
            device_key=transmitter.device_key,
            bus="field",
            address=transmitter.address,
            profile=transmitter.profile,
            interval_s=transmitter.interval_s,
        )
        for transmitter in TRANSMITTERS
    ]
    return _written(folder / "demo.toml", sections)


def write_second_config(folder: Path, way: Way, secret: str, node_port: int) -> Path:
    """Write the configuration of the second hub, whose data is to lie in folder/second-hub."""
    sections = [_head(SECOND_HUB_KEY, "second-hub", way, secret), _nodes(node_port)]
    return _written(folder / "second.toml", sections)


def _written(path: Path, sections: Sequence[str]) -> Path:
    path.write_text("\n".join(sections), encoding="utf-8")
    path.chmod(0o600)
    return path


def _nodes(port: int) -> str:
    return _table("[nodes]", listen="127.0.0.1", port=port)


def _bus(port: str) -> str:
    return _table(
        "[[bus]]",
        name="field",
        port=port,
        baud=LINE.baud,
        parity=LINE.parity,
        stop_bits=LINE.stop_bits,
        timeout_ms=200,
    )


def _head(device_key: str, data_dir: str, way: Way, secret: str) -> str:
    return "\n".join(
        (
            _table("[hub]", device_key=device_key, data_dir=data_dir, heartbeat_s=5.0),
            _table(
                "[cloud]",
                url=way.url,
                publishable_key=way.publishable_key,
                device_secret=secret,
                retry_base_s=RETRY_BASE_S,
                retry_max_s=RETRY_MAX_S,
                timeout_s=5.0,
            ),
            _table("[outbox]", min_free_bytes=50_000_000),
            _table("[clock]", trust="system"),
        )
    )


def _table(head: str, **values: object) -> str:
    # A JSON string, number or boolean is written the same in TOML.
    return "\n".join([head, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])
