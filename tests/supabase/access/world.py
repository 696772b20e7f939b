"""Two tenants with people and devices, and the claims with which each role of the matrix comes.

Tenant A has everything that is asked about; tenant B has those who must see nothing of it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

PEOPLE = ("viewer", "operator", "admin", "other_admin", "superadmin")


class World(NamedTuple):
    """Numbers of what there is. people: by role; no_profile has a name and no row."""

    tenant_a: int
    tenant_b: int
    site: int
    hub: int
    tank: int
    spare: int
    revoked: int
    other: int
    colleague: UUID
    people: dict[str, UUID]

    def claims(self, role: str) -> dict[str, Any]:
        """Return what the token of this role claims."""
        if role in {"anon", "gateway_key"}:
            return {"role": "anon"}
        devices = {
            "device": self.tank,
            "other_device": self.other,
            "hub": self.hub,
            "revoked_device": self.revoked,
        }
        if role in devices:
            return {"role": "device", "device_id": devices[role]}
        return {"role": "authenticated", "sub": str(self.people[role])}

    def device_of(self, role: str) -> int:
        """Return the device whose rows this role is asked about."""
        return self.revoked if role == "revoked_device" else self.tank


Insert = Callable[[str, dict[str, Any]], dict[str, Any]]


def build(insert: Insert) -> World:
    """Make the world. insert: adds a row to a table as somebody who may do everything, and returns it."""
    a, b = (
        insert("public.tenants", {"tenant_type": "distributor", "name": f"{name} {uuid4().hex[:6]}"})["id"]
        for name in ("A", "B")
    )
    site = insert("public.sites", {"tenant_id": a, "name": "Waterworks"})["id"]
    hub = _device(insert, a, "hub", None)
    tank, spare = (_device(insert, a, name, hub) for name in ("tank", "spare"))
    revoked = _device(insert, a, "revoked", hub, revoked_at=datetime.now(UTC).isoformat())
    other = _device(insert, b, "other", None)
    people = {role: _person(insert, role, b if role == "other_admin" else a) for role in PEOPLE}
    colleague = _person(insert, "viewer", a)
    return World(a, b, site, hub, tank, spare, revoked, other, colleague, {**people, "no_profile": uuid4()})


def _device(insert: Insert, tenant: int, name: str, hub: int | None, **values: Any) -> int:
    key = f"{name}-{uuid4().hex[:8]}"
    row = {"device_key": key, "name": name, "kind": "tank", "status": "active", "tenant_id": tenant}
    return int(insert("public.devices", {**row, "hub_id": hub, **values})["id"])


def _person(insert: Insert, role: str, tenant: int) -> UUID:
    person = uuid4()
    kept = role.removeprefix("other_")
    row = {"id": str(person), "email": f"{person}@example.org", "role": kept}
    insert("public.profiles", {**row, "tenant_id": None if kept == "superadmin" else tenant})
    return person
