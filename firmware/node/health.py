"""How the node is, as the HEALTH message says it."""

import gc

from shared_schema.reports import ON_BATTERY, Health


def measure(node, now_ms: int) -> Health:
    """Return the node's health."""
    ring = node.ring
    return Health(
        ON_BATTERY if node.is_on_battery else 0,
        node.network.rssi_dbm,
        gc.mem_free() if hasattr(gc, "mem_free") else 0,
        node.start.cause,
        node.battery_mv,
        ring.rows_waiting,
        ring.bytes_free,
        ring.capacity_bytes,
        node.clock.corrected_ms,
        now_ms // 1000,
        max(0, node.uplink.sessions - 1),
    )
