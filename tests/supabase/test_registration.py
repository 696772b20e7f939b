"""How a device comes to be known, and proves that it is that device."""

import psycopg
import pytest

from tests.supabase.roles import SECRET_HASH, Connection, new_tenant, register

WRONG_HASH = "cd" * 32


def verdict(database: Connection, device_key: str, secret_hash: str) -> tuple[str, int | None]:
    found = database.execute(
        "select * from public.authorize_device(%s, %s)", (device_key, secret_hash)
    ).fetchone()
    assert found is not None
    return found["verdict"], found["device_id"]


def test_the_right_secret_names_the_device(database: Connection) -> None:
    device_id = register(database, "hub", kind="hub")
    assert verdict(database, "hub", SECRET_HASH) == ("granted", device_id)


def test_a_wrong_secret_an_unknown_key_and_none_at_all_are_refused_alike(database: Connection) -> None:
    register(database, "hub", kind="hub")
    register(database, "tank", hub="hub")
    for device_key, secret_hash in [("hub", WRONG_HASH), ("nobody", SECRET_HASH), ("tank", SECRET_HASH)]:
        assert verdict(database, device_key, secret_hash) == ("refused", None)


@pytest.mark.parametrize("change", ["revoked_at = now()", "status = 'pending'", "status = 'retired'"])
def test_a_device_out_of_service_is_refused(database: Connection, change: str) -> None:
    register(database, "hub", kind="hub")
    database.execute(f"update public.devices set {change}".encode())
    assert verdict(database, "hub", SECRET_HASH) == ("refused", None)


def test_the_eleventh_request_in_a_minute_is_put_off(database: Connection) -> None:
    device_id = register(database, "hub", kind="hub")
    answers = [verdict(database, "hub", SECRET_HASH) for _ in range(12)]
    assert answers == [("granted", device_id)] * 10 + [("limited", None)] * 2
    database.execute("update private.device_token_requests set minute = minute - interval '1 minute'")
    assert verdict(database, "hub", SECRET_HASH) == ("granted", device_id)


def test_guessing_does_not_lock_the_device_out(database: Connection) -> None:
    device_id = register(database, "hub", kind="hub")
    guesses = [verdict(database, "hub", WRONG_HASH)[0] for _ in range(12)]
    assert guesses == ["refused"] * 10 + ["limited"] * 2
    assert verdict(database, "hub", SECRET_HASH) == ("granted", device_id)


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
