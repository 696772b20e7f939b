"""For every table one row to ask about, one to add, and one harmless change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared_schema.metrics import ERROR, KINDS, LOSS
from tests.supabase.access.world import World

Row = dict[str, Any]
START = datetime.now(UTC) - timedelta(hours=1)


class Specimen(NamedTuple):
    """One table's rows.

    row: of a world, a device of it and a number: the columns. key: columns that find the row again.
    change: a column and its new value. is_one_a_device: a device has one row, so adding means replacing.
    """

    row: Callable[[World, int, int], Row]
    key: tuple[str, ...]
    change: tuple[str, Any]
    is_one_a_device: bool = False


def _sent(values: Row) -> Specimen:
    def row(world: World, device: int, number: int) -> Row:
        head = {"device_id": device, "epoch": 7, "seq": number, "quality": 0, "time_quality": 0}
        at = (START + timedelta(seconds=number)).isoformat()
        extra = {"lost_device_id": device} if "lost_epoch" in values else {}
        return {**head, "recorded_at": at, **values, **extra}

    return Specimen(row, ("device_id", "epoch", "seq"), ("quality", 1))


def _one_a_device(change: tuple[str, Any], **values: Any) -> Specimen:
    return Specimen(lambda _, device, __: {"device_id": device, **values}, ("device_id",), change, True)


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
}
