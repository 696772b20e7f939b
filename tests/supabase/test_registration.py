"""How a device comes to be known."""

import psycopg
import pytest

from tests.supabase.fleet import connect
from tests.supabase.roles import Connection, new_tenant, register


def test_a_device_behind_a_hub_belongs_to_its_tenant(database: Connection) -> None:
    database.execute("select public.register_device('hub', 'hub', null, null, null, 'Farm')")
    register(database, "tank", hub="hub")
    found = database.execute(
        """
        select devices.device_key, tenants.name from public.devices
        join public.tenants on tenants.id = tenant_id order by 1
        """
    ).fetchall()
    assert found == [{"device_key": "hub", "name": "Farm"}, {"device_key": "tank", "name": "Farm"}]


def test_a_hub_that_does_not_exist_is_named(database: Connection) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match='no hub with the key "nobody"'):
        register(database, "tank", hub="nobody")


@pytest.mark.parametrize("device_key", ["", "Tank", "-tank", "tank 1", "t" * 64, "tank\n", "tänk"])
def test_a_key_that_cannot_be_a_host_name_is_refused(database: Connection, device_key: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        register(database, device_key)


def test_a_device_belongs_to_exactly_one_tenant(database: Connection) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation, match="tenant_id"):
        database.execute(
            "insert into public.devices (device_key, name, kind) values ('tank', 'Tank', 'tank')"
        )


def test_tenants_stand_below_another_in_one_order_only(database: Connection) -> None:
    distributor = new_tenant(database, "distributor", "D")
    community = new_tenant(database, "community", "C", distributor)
    customer = new_tenant(database, "customer", "K", community)
    for tenant_type, parent in (
        ("distributor", distributor),
        ("community", customer),
        ("customer", customer),
    ):
        with pytest.raises(psycopg.errors.CheckViolation, match="above"), database.transaction():
            new_tenant(database, tenant_type, "X", parent)
    with pytest.raises(psycopg.errors.CheckViolation, match="above"), database.transaction():
        database.execute("update public.tenants set parent_id = %s where id = %s", (customer, distributor))


def test_a_hub_and_those_behind_it_are_of_one_tenant(database: Connection) -> None:
    hub = register(database, "hub", kind="hub")
    tank = register(database, "tank", hub="hub")
    stranger = new_tenant(database, "customer", "Stranger")
    for device in (hub, tank):
        with pytest.raises(psycopg.errors.ForeignKeyViolation), database.transaction():
            database.execute("update public.devices set tenant_id = %s where id = %s", (stranger, device))


@pytest.mark.parametrize("change", ["device_key = 'other'", "id = 999"])
def test_the_identity_of_a_device_cannot_change(database: Connection, change: str) -> None:
    register(database, "hub", kind="hub")
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot change"):
        database.execute(f"update public.devices set {change}".encode())


def test_a_hub_goes_to_nobody_who_took_the_name_of_a_tenant(database: Connection) -> None:
    distributor = new_tenant(database, "distributor", "D")
    squatter = new_tenant(database, "customer", "Farm", distributor)
    farm = new_tenant(database, "customer", "Farm")
    register_for = "select public.register_device(%s, 'hub', null, tenant => %s)"
    database.execute(register_for, ("farm-hub", "Farm"))
    owners = "select tenant_id from public.devices where device_key = 'farm-hub'"
    assert database.execute(owners).fetchall() == [{"tenant_id": farm}]
    # Of several below others none is meant more than another.
    database.execute("update public.tenants set name = 'Mill' where id = %s", (squatter,))
    new_tenant(database, "customer", "Mill", new_tenant(database, "distributor", "E"))
    with pytest.raises(psycopg.errors.CardinalityViolation, match="several tenants"):
        database.execute(register_for, ("mill-hub", "Mill"))


def test_a_hub_stays_in_the_tenant_of_what_is_put_behind_it_at_the_same_moment(own_url: str) -> None:
    with connect(own_url) as one, connect(own_url) as other:
        hub, tank = register(one, "hub", kind="hub"), register(one, "tank")
        stranger = new_tenant(one, "customer", "Stranger")
        other.execute("set lock_timeout = '200ms'")
        with one.transaction():
            one.execute("update public.devices set hub_id = %s where id = %s", (hub, tank))
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("update public.devices set tenant_id = %s where id = %s", (stranger, hub))
        with pytest.raises(psycopg.errors.ForeignKeyViolation, match="behind device"):
            other.execute("update public.devices set tenant_id = %s where id = %s", (stranger, hub))
