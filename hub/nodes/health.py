"""What a node says of its health: a heartbeat of its device, and what an operator should know of it."""

from hub.ports import EventSink, Reading, Stamp, Value
from shared_schema.metrics import HEARTBEAT
from shared_schema.reports import Health

RING_FULL_PERCENT = 90.0
CLOCK_OFF_MS = 30_000  # half of what the cloud allows a row to be ahead

# As machine.reset_cause() of the ESP32 port; the RP2 port has 1 and 3 of them.
# Source: MicroPython, ports/esp32/modmachine.c and ports/rp2/modmachine.c
_RESET_CAUSES = {1: "power on", 2: "hard reset", 3: "watchdog", 4: "deep sleep", 5: "soft reset"}


def heartbeat_of(health: Health, device_key: str, stamp: Stamp) -> Reading:
    """Return the row of a health report, of the moment it came."""
    by_name: dict[str, Value] = {
        "storage_percent": storage_percent(health),
        "uptime_s": health.uptime_s,
        "queue_length": health.ring_rows,
        "network_status": "online",
        "rssi_dbm": health.rssi_dbm or None,
        "free_memory_bytes": health.free_memory_bytes,
        "reset_cause": _RESET_CAUSES.get(health.reset_cause, f"cause {health.reset_cause}"),
        "battery_v": health.battery_mv / 1000 or None,
        "clock_offset_ms": health.clock_offset_ms,
    }
    values = tuple(by_name.get(name) for name in HEARTBEAT.field_names)
    return Reading(device_key, HEARTBEAT.name, stamp.recorded_at_ms, values, time_quality=stamp.time_quality)


def storage_percent(health: Health) -> float:
    """Return how much of the ring is taken while rows wait in it; in part by rows that need not any more."""
    used = max(0, health.ring_bytes - health.ring_bytes_free)
    return round(100 * used / health.ring_bytes, 1) if health.ring_rows and used else 0.0


def judge(health: Health, device_key: str, events: EventSink) -> None:
    """Report what is wrong with a node, or that it is right again."""
    _say(
        events,
        "node_storage",
        device_key,
        f"{storage_percent(health):.0f} % of its memory is waiting rows; the oldest give way soon"
        if storage_percent(health) >= RING_FULL_PERCENT
        else "",
    )
    _say(
        events,
        "node_clock_off",
        device_key,
        f"its clock was {health.clock_offset_ms} ms off"
        if abs(health.clock_offset_ms) > CLOCK_OFF_MS
        else "",
    )


def _say(events: EventSink, code: str, device_key: str, message: str) -> None:
    if message:
        events.raise_event("warning", code, message, device_key=device_key)
    else:
        events.clear_event(code, device_key=device_key)
