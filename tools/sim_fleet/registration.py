"""Makes a fleet known to a cloud, or finds it there.

A hub's secret follows from the cloud's secret key and the hub's device key: whoever may run this could
register devices anyway, and a second run needs no file to find its hubs again.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import quote

from tools.local_cloud.admin_io import CloudAdmin
from tools.sim_fleet.plan import FleetPlan

AT_ONCE = 8
PAGE = 1000  # rows the Data API returns at once
SAY_EVERY = 500

Say = Callable[[str], None]
_Item = TypeVar("_Item")


def register_fleet(admin: CloudAdmin, plan: FleetPlan, secret_key: str, say: Say) -> dict[str, str]:
    """Register what is not yet there, and return the hubs' secrets by key. Raises PenstockError."""
    known = _known(admin, plan.prefix)
    hubs = [plan.hub_key(number) for number in range(plan.hubs)]
    new_hubs = [key for key in hubs if key not in known]
    behind = [
        (key, kind.name, hub)
        for number, hub in enumerate(hubs)
        for key, kind in plan.devices_of(number)
        if key not in known
    ]
    if new_hubs or behind:
        say(f"registering {len(new_hubs):,} hubs and {len(behind):,} devices behind them …")
    # The first one makes the tenant, so that the others find it.
    for keys in (new_hubs[:1], new_hubs[1:]):
        _each(
            keys,
            lambda key: admin.register_device(
                key, "hub", secret=secret_of(key, secret_key), tenant=plan.tenant
            ),
            say,
        )
    _each(behind, lambda device: admin.register_device(device[0], device[1], device[2]), say)
    return {key: _text(secret_of(key, secret_key)) for key in hubs}


def secret_of(hub_key: str, secret_key: str) -> bytes:
    """Return the secret of a simulated hub."""
    return hmac.digest(secret_key.encode(), f"penstock sim fleet {hub_key}".encode(), hashlib.sha256)


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def _known(admin: CloudAdmin, prefix: str) -> set[str]:
    known: set[str] = set()
    last_id = 0
    while True:
        where = f"device_key=like.{quote(prefix)}-hub-*&id=gt.{last_id}"
        page = admin.select(f"devices?select=id,device_key&{where}&order=id.asc&limit={PAGE}")
        known.update(row["device_key"] for row in page)
        if len(page) < PAGE:
            return known
        last_id = page[-1]["id"]


def _each(items: Iterable[_Item], act: Callable[[_Item], object], say: Say) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, _ in enumerate(pool.map(act, items), 1):
            if done % SAY_EVERY == 0:
                say(f"  {done:,} registered")
