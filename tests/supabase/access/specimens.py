"""For every table one row to ask about, one to add, and one harmless change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared_schema.metrics import ERROR, KINDS, LOSS
from tests.supabase.access.world import World

Row = dict[str, Any]
SEEDED, ADDED = 1, 2
SOMEBODY = "00000000-0000-4000-8000-000000000001"
ROLLED_UP = [
    *(f"{kind.table}_{width}" for kind in KINDS if kind.is_telemetry for width in ("hourly", "daily")),
    "device_metrics_5min",
    "device_metrics_daily",
]
LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()
START = datetime.now(UTC) - timedelta(hours=1)


class Specimen(NamedTuple):
    """One table's rows.

    row: of a world, a device of it and a number: the columns. key: columns that find the row again.
    change: a column and its new value. is_one_a_device: a device has one row, so adding means replacing.
    is_made_by_functions: not even the secret key adds a row.
    """

    row: Callable[[World, int, int], Row]
    key: tuple[str, ...]
    change: tuple[str, Any]
    is_one_a_device: bool = False
    is_made_by_functions: bool = False


def _sent(values: Row) -> Specimen:
    def row(world: World, device: int, number: int) -> Row:
        head = {"device_id": device, "epoch": 7, "seq": number, "quality": 0, "time_quality": 0}
        at = (START + timedelta(seconds=number)).isoformat()
        extra = {"lost_device_id": device} if "lost_epoch" in values else {}
        return {**head, "recorded_at": at, **values, **extra}

    return Specimen(row, ("device_id", "epoch", "seq"), ("quality", 1))


def _one_a_device(change: tuple[str, Any], **values: Any) -> Specimen:
    return Specimen(lambda _, device, __: {"device_id": device, **values}, ("device_id",), change, True)


def _rolled_up() -> Specimen:
    def row(_: World, device: int, number: int) -> Row:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
        return {"device_id": device, "bucket_at": at.isoformat(), "readings": 1}

    return Specimen(row, ("device_id", "bucket_at"), ("readings", 2))


def _number(device: int, number: int) -> int:
    return 1_000_000 + device * 10 + number


_REQUIRED: dict[str, Row] = {
    LOSS.table: {"lost_epoch": 7, "first_seq": 1, "last_seq": 2, "cause": "evicted"},
    ERROR.table: {"level": "error", "code": "x", "message": "y"},
    "attendance_logs": {"student_id": "7", "result": "success", "scan_type": "qr"},
}

SPECIMENS: dict[str, Specimen] = {
    **{f"public.{kind.table}": _sent(_REQUIRED.get(kind.table, {})) for kind in KINDS},
    "public.device_state": _one_a_device(("version", 2), last_seen_at=START.isoformat()),
    "public.device_tank_settings": _one_a_device(("capacity_l", 2), height_cm=200, capacity_l=1000),
    "public.device_flow_settings": _one_a_device(("max_flow_rate_lpm", 2), max_flow_rate_lpm=10),
    "public.device_deep_settings": _one_a_device(("rated_power_w", 2), well_depth_m=80),
    "public.device_footfall_settings": _one_a_device(("capacity_people", 2), capacity_people=20),
    "public.device_firmware": _one_a_device(("firmware_version", "2"), firmware_version="1"),
    "public.device_downtime": Specimen(
        lambda _, device, number: {
            "device_id": device,
            "started_at": (START + timedelta(seconds=number)).isoformat(),
            "ended_at": (START + timedelta(seconds=number + 1)).isoformat(),
        },
        ("device_id", "started_at"),
        ("reason", "power"),
    ),
    "public.device_calibrations": Specimen(
        lambda _, device, number: {
            "device_id": device,
            "metric": f"metric_{number}",
            "calibration_type": "linear",
            "parameters": {"slope": 1, "intercept": 0},
        },
        ("device_id", "metric"),
        ("calibration_type", "polynomial"),
    ),
    "public.field_mappings": Specimen(
        lambda _, device, number: {"device_id": device, "external_name": f"AI{number}"},
        ("device_id", "external_name"),
        ("scale", 2),
    ),
    "public.ingest_keys": Specimen(
        lambda _, device, number: {"device_id": device, "name": f"key-{number}", "key_prefix": "psk_"},
        ("device_id", "name"),
        ("key_prefix", "psk_2"),
    ),
    "public.device_tags": Specimen(
        lambda _, device, number: {"device_id": device, "tag_name": f"tag-{number}", "tag_value": "x"},
        ("device_id", "tag_name"),
        ("tag_value", "y"),
    ),
    "public.devices": Specimen(
        lambda world, device, number: {
            "device_key": f"specimen-{device}-{number}",
            "name": "Specimen",
            "kind": "tank",
            "tenant_id": world.tenant_a,
            "hub_id": world.hub,
        },
        ("device_key",),
        ("name", "Renamed"),
    ),
    "public.sites": Specimen(
        lambda world, device, number: {"tenant_id": world.tenant_a, "name": f"Site {device} {number}"},
        ("tenant_id", "name"),
        ("time_zone", "Asia/Kolkata"),
    ),
    "public.tenants": Specimen(
        lambda world, device, number: {
            "tenant_type": "customer",
            "name": f"Below A {device} {number}",
            "parent_id": world.tenant_a,
        },
        ("parent_id", "name"),
        ("name", "Renamed"),
    ),
    "public.profiles": Specimen(
        lambda world, device, number: {
            "id": f"00000000-0000-4000-8000-{world.tenant_a:06}{number:06}"[:24]
            + f"{device % 10**6:06}{number:06}",
            "email": f"{device}-{number}@example.org",
            "tenant_id": world.tenant_a,
        },
        ("id",),
        ("display_name", "Renamed"),
    ),
    **{f"public.{table}": _rolled_up() for table in ROLLED_UP},
    "public.device_commands": Specimen(
        lambda world, device, number: {
            "id": _number(device, number),
            "device_id": device,
            "tenant_id": world.tenant_a,
            "command_type": "identify",
            "status": "sent",
            "is_dangerous": False,
            "is_approved": True,
            "time_limit_s": 60,
            "created_by": SOMEBODY,
            "expires_at": LATER,
            "sent_at": START.isoformat(),
        },
        ("id",),
        ("status", "executing"),
        is_made_by_functions=True,
    ),
    "public.device_command_history": Specimen(
        lambda _, device, number: {
            "command_id": _number(device, SEEDED),
            "device_id": device,
            "status": "failed" if number == SEEDED else "timeout",
            "actor_type": "service",
        },
        ("command_id", "status"),
        ("actor_id", "x"),
        is_made_by_functions=True,
    ),
    "public.command_approvals": Specimen(
        lambda _, device, __: {
            "command_id": _number(device, SEEDED),
            "device_id": device,
            "created_by": SOMEBODY,
            "decided_by": "00000000-0000-4000-8000-000000000002",
            "is_approved": True,
        },
        ("command_id",),
        ("reason", "x"),
        is_one_a_device=True,
        is_made_by_functions=True,
    ),
    "public.command_types": Specimen(
        lambda _, device, number: {
            "command_type": f"specimen_{device}_{number}",
            "description": "x",
            "least_role": "admin",
            "is_dangerous": True,
            "time_to_live_s": 60,
            "time_limit_s": 60,
        },
        ("command_type",),
        ("time_limit_s", 61),
        is_made_by_functions=True,
    ),
    "public.alert_rules": Specimen(
        lambda world, device, number: {
            "tenant_id": world.tenant_a,
            "name": f"Rule {device} {number}",
            "rule_type": "offline",
            "device_id": device,
        },
        ("tenant_id", "name"),
        ("cooldown_s", 60),
    ),
    "public.alerts": Specimen(
        lambda _, device, number: {
            "id": _number(device, number),
            "device_id": device,
            "alert_type": "threshold",
            "severity": "info",
            "title": "x",
            "message": "x",
            "recorded_at": START.isoformat(),
            "raised_at": START.isoformat(),
        },
        ("id",),
        ("title", "y"),
    ),
    "public.alert_events": Specimen(
        lambda _, device, number: {
            "alert_id": _number(device, SEEDED),
            "device_id": device,
            "event_type": "raised" if number == SEEDED else "cleared",
        },
        ("alert_id", "event_type"),
        ("note", "x"),
        is_made_by_functions=True,
    ),
    "public.alert_silences": _one_a_device(("reason", "y"), silenced_until=LATER, reason="x"),
    "public.alert_notification_rules": Specimen(
        lambda world, device, number: {
            "tenant_id": world.tenant_a,
            "channel_type": "email",
            "address": f"a{device}-{number}@example.org",
        },
        ("tenant_id", "address"),
        ("is_enabled", False),
    ),
    "public.audit_logs": Specimen(
        lambda world, device, number: {
            "actor_type": "service",
            "tenant_id": world.tenant_a,
            "action_type": "access",
            "resource_type": "specimen",
            "resource_id": f"{device}-{number}",
        },
        ("resource_type", "resource_id"),
        ("actor_id", "x"),
        is_made_by_functions=True,
    ),
    "public.alert_notifications": Specimen(
        lambda world, device, number: {
            "alert_id": _number(device, SEEDED),
            "notification_rule_id": world.notification_rule,
            "event_type": "raised" if number == SEEDED else "cleared",
            "tenant_id": world.tenant_a,
            "channel_type": "email",
            "address": "a@example.org",
        },
        ("alert_id", "event_type"),
        ("address", "b@example.org"),
        is_made_by_functions=True,
    ),
}
