"""The hub configuration of the demo's site."""

import json
from pathlib import Path

from tools.local_cloud.admin_io import CloudAdmin
from tools.sim.demo_site import LINE, TRANSMITTERS

HUB_KEY = "demo-hub"
NODE_KEYS = ("village-tank", "spring-inlet", "old-well")  # what each measures: tools/sim_nodes/plans.py
RETRY_BASE_S, RETRY_MAX_S = 1.0, 8.0  # an outage of the demo lasts seconds, not hours


def register(cloud: CloudAdmin) -> str:
    """Make the hub and the devices behind it known to the cloud; return the hub's secret."""
    hub = cloud.register_device(HUB_KEY, "hub")
    for transmitter in TRANSMITTERS:
        cloud.register_device(transmitter.device_key, "transmitter", hub=HUB_KEY)
    for key in NODE_KEYS:
        cloud.register_device(key, "node", hub=HUB_KEY)
    return hub.secret or ""


def write_config(
    folder: Path, *, port: str, url: str, publishable_key: str, secret: str, node_port: int
) -> Path:
    """Write the configuration of the demo's hub and return its path."""
    path = folder / "demo.toml"
    sections = [_head(url, publishable_key, secret, port), _nodes(node_port)]
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
    path.write_text("\n".join(sections), encoding="utf-8")
    path.chmod(0o600)
    return path


def _nodes(port: int) -> str:
    return _table("[nodes]", listen="127.0.0.1", port=port)


def _head(url: str, publishable_key: str, secret: str, port: str) -> str:
    return "\n".join(
        (
            _table("[hub]", device_key=HUB_KEY, data_dir="hub", heartbeat_s=5.0),
            _table(
                "[cloud]",
                url=url,
                publishable_key=publishable_key,
                device_secret=secret,
                retry_base_s=RETRY_BASE_S,
                retry_max_s=RETRY_MAX_S,
                timeout_s=5.0,
            ),
            _table("[outbox]", min_free_bytes=50_000_000),
            _table("[clock]", trust="system"),
            _table(
                "[[bus]]",
                name="field",
                port=port,
                baud=LINE.baud,
                parity=LINE.parity,
                stop_bits=LINE.stop_bits,
                timeout_ms=200,
            ),
        )
    )


def _table(head: str, **values: object) -> str:
    # A JSON string, number or boolean is written the same in TOML.
    return "\n".join([head, *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])
