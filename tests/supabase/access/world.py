"""Two tenants with people and devices, and the claims with which each role of the matrix comes.

Tenant A has everything that is asked about; tenant B has those who must see nothing of it.
"""

from typing import Any, NamedTuple
from uuid import UUID, uuid4

from tests.supabase.roles import Connection

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


def build(database: Connection) -> World:
    """Make the world, as the owner of the database."""
    a, b = (_id(database, _NEW_TENANT, {"name": f"{name} {uuid4().hex[:6]}"}) for name in ("A", "B"))
    site = _id(
        database,
        "insert into public.sites (tenant_id, name) values (%(tenant)s, 'S') returning id",
        {"tenant": a},
    )
    hub = _device(database, a, "hub", None)
    tank, spare, revoked = (_device(database, a, name, hub) for name in ("tank", "spare", "revoked"))
    other = _device(database, b, "other", None)
    database.execute("update public.devices set revoked_at = now() where id = %s", (revoked,))
    people = {role: _person(database, role, b if role == "other_admin" else a) for role in PEOPLE}
    colleague = _person(database, "viewer", a)
    return World(a, b, site, hub, tank, spare, revoked, other, colleague, {**people, "no_profile": uuid4()})


_NEW_TENANT = "insert into public.tenants (tenant_type, name) values ('distributor', %(name)s) returning id"
_NEW_DEVICE = """
insert into public.devices (device_key, name, kind, status, tenant_id, hub_id)
values (%(key)s, %(key)s, 'tank', 'active', %(tenant)s, %(hub)s) returning id
"""


def _device(database: Connection, tenant: int, name: str, hub: int | None) -> int:
    key = f"{name}-{uuid4().hex[:8]}"
    return _id(database, _NEW_DEVICE, {"key": key, "tenant": tenant, "hub": hub})


def _person(database: Connection, role: str, tenant: int) -> UUID:
    person = uuid4()
    kept = role.removeprefix("other_")
    database.execute(
        "insert into public.profiles (id, email, role, tenant_id) values (%s, %s, %s::public.user_role, %s)",
        (person, f"{person}@example.org", kept, None if kept == "superadmin" else tenant),
    )
    return person


def _id(database: Connection, statement: str, values: dict[str, Any]) -> int:
    found = database.execute(statement.encode(), values).fetchone()
    assert found is not None
    return int(found["id"])
