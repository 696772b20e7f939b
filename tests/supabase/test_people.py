"""Who may see what, by the role the database knows: tenants, profiles, roles given and taken."""

import json
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.supabase.roles import Connection, acting_as_person, new_person, new_tenant, register

Denied = psycopg.errors.InsufficientPrivilege
LEVELS = ("viewer", "operator", "admin", "superadmin")


@pytest.fixture
def distributor(database: Connection) -> int:
    return new_tenant(database, "distributor", "Water for all")


@pytest.fixture
def community(database: Connection, distributor: int) -> int:
    return new_tenant(database, "community", "Village", distributor)


@pytest.fixture
def customer(database: Connection, community: int) -> int:
    return new_tenant(database, "customer", "Farm", community)


@pytest.fixture
def stranger(database: Connection) -> int:
    return new_tenant(database, "distributor", "Somebody else")


def sign_up(database: Connection, email: str, **told: str) -> UUID:
    """Do what Auth does when somebody signs up."""
    person = uuid4()
    database.execute(
        "insert into auth.users (id, email, raw_user_meta_data) values (%s, %s, %s)",
        (person, email, json.dumps(told)),
    )
    return person


def role_of(database: Connection, person: UUID) -> tuple[str, int | None]:
    found = database.execute(
        "select role, tenant_id from public.profiles where id = %s", (person,)
    ).fetchone()
    assert found is not None
    return str(found["role"]), found["tenant_id"]


def seen_tenants(database: Connection, person: UUID) -> set[int]:
    with acting_as_person(database, person):
        return {row["id"] for row in database.execute("select id from public.tenants").fetchall()}


def assign(database: Connection, by: UUID, email: str, role: str, tenant: int | None) -> None:
    with acting_as_person(database, by):
        database.execute("select public.assign_role(%s, %s::public.user_role, %s)", (email, role, tenant))


def test_who_signs_up_has_a_profile_that_may_nothing(database: Connection, stranger: int) -> None:
    person = sign_up(database, "new@example.org", display_name="New", role="superadmin", tenant_id="1")
    assert role_of(database, person) == ("viewer", None)
    assert seen_tenants(database, person) == set()
    database.execute("update auth.users set email = 'newer@example.org' where id = %s", (person,))
    found = database.execute(
        "select email, display_name from public.profiles where id = %s", (person,)
    ).fetchone()
    assert found == {"email": "newer@example.org", "display_name": "New"}
    database.execute("delete from auth.users where id = %s", (person,))
    assert database.execute("select from public.profiles where id = %s", (person,)).fetchone() is None


def test_people_see_their_tenant_and_those_below_it(
    database: Connection, distributor: int, community: int, customer: int, stranger: int
) -> None:
    below = {
        distributor: {distributor, community, customer},
        community: {community, customer},
        customer: {customer},
        stranger: {stranger},
    }
    for tenant, wanted in below.items():
        assert seen_tenants(database, new_person(database, "viewer", tenant)) == wanted
    everybody = set(below) - {0}
    assert seen_tenants(database, new_person(database, "superadmin", None)) >= everybody


def test_devices_of_a_tenant_below_are_seen_from_above_only(
    database: Connection, distributor: int, customer: int, stranger: int
) -> None:
    device = register(database, "tank")
    database.execute("update public.devices set tenant_id = %s where id = %s", (customer, device))
    seen = {}
    for tenant in (distributor, customer, stranger):
        with acting_as_person(database, new_person(database, "viewer", tenant)):
            seen[tenant] = database.execute("select id from public.devices").fetchall()
    assert seen == {distributor: [{"id": device}], customer: [{"id": device}], stranger: []}


def test_a_role_in_the_token_counts_for_nothing(database: Connection, customer: int) -> None:
    viewer = new_person(database, "viewer", customer)
    claims = {
        "role": "authenticated",
        "sub": str(viewer),
        "app_metadata": {"role": "superadmin"},
        "user_role": "superadmin",
    }
    database.execute(
        "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
        (json.dumps(claims),),
    )
    assert database.execute("select private.my_role() as role").fetchone() == {"role": "viewer"}


def test_dismissing_somebody_bites_at_once(database: Connection, customer: int) -> None:
    admin, viewer = (new_person(database, role, customer) for role in ("admin", "viewer"))
    assert seen_tenants(database, viewer) == {customer}
    with acting_as_person(database, admin):
        database.execute("select public.dismiss_person(%s)", (f"{viewer}@example.org",))
    assert seen_tenants(database, viewer) == set()
    assign(database, admin, f"{viewer}@example.org", "operator", customer)
    assert seen_tenants(database, viewer) == {customer}


@pytest.mark.parametrize("role", LEVELS)
def test_an_admin_gives_roles_up_to_admin_to_newcomers(
    database: Connection, distributor: int, customer: int, role: str
) -> None:
    admin = new_person(database, "admin", distributor)
    newcomer = sign_up(database, "New@Example.org")
    tenant = None if role == "superadmin" else customer
    if role == "superadmin":
        with pytest.raises(Denied):
            assign(database, admin, "new@example.org", role, tenant)
    else:
        assign(database, admin, "new@example.org", role, tenant)
        assert role_of(database, newcomer) == (role, customer)


@pytest.mark.parametrize("giver", ["viewer", "operator"])
def test_those_below_admin_give_no_roles(database: Connection, customer: int, giver: str) -> None:
    sign_up(database, "new@example.org")
    with pytest.raises(Denied):
        assign(database, new_person(database, giver, customer), "new@example.org", "viewer", customer)


def test_nobody_reaches_beyond_their_tenant(database: Connection, customer: int, stranger: int) -> None:
    admin = new_person(database, "admin", customer)
    theirs = new_person(database, "viewer", stranger)
    superadmin = new_person(database, "superadmin", None)
    sign_up(database, "new@example.org")
    unknown = psycopg.errors.InvalidParameterValue
    for email, tenant, refusal in (
        ("new@example.org", stranger, Denied),
        (f"{theirs}@example.org", customer, unknown),
        (f"{superadmin}@example.org", customer, unknown),
        ("nobody@example.org", stranger, Denied),
    ):
        with pytest.raises(refusal):
            assign(database, admin, email, "viewer", tenant)
    for person in (theirs, superadmin):
        with pytest.raises(Denied), acting_as_person(database, admin):
            database.execute("select public.dismiss_person(%s)", (f"{person}@example.org",))


def test_nobody_changes_their_own_role(database: Connection, customer: int) -> None:
    for person, tenant in (
        (new_person(database, "admin", customer), customer),
        (new_person(database, "superadmin", None), None),
    ):
        with pytest.raises(Denied, match="their own role"):
            assign(
                database, person, f"{person}@example.org", "viewer" if tenant is None else "admin", customer
            )
    with acting_as_person(database, new_person(database, "viewer", customer)):
        for change in ("role = 'superadmin'", "tenant_id = null", "is_active = true", "email = 'x@y.z'"):
            with pytest.raises(Denied), database.transaction():
                database.execute(f"update public.profiles set {change}".encode())


def test_people_name_themselves_and_nobody_else(database: Connection, customer: int) -> None:
    person, other = (new_person(database, "viewer", customer) for _ in range(2))
    with acting_as_person(database, person):
        changed = database.execute("update public.profiles set display_name = 'Me'").rowcount
    assert changed == 1
    found = database.execute("select display_name from public.profiles where id = %s", (other,)).fetchone()
    assert found == {"display_name": None}


def test_admins_add_tenants_below_theirs_and_cannot_move_them(
    database: Connection, distributor: int, stranger: int
) -> None:
    add = "insert into public.tenants (tenant_type, name, parent_id) values ('customer', 'Below', %s)"
    admin = new_person(database, "admin", distributor)
    with acting_as_person(database, admin):
        database.execute(add, (distributor,))
    for parent in (stranger, None):
        with pytest.raises(Denied), acting_as_person(database, admin):
            database.execute(add, (parent,))
    with pytest.raises(Denied), acting_as_person(database, admin):
        database.execute("update public.tenants set parent_id = %s", (stranger,))


def test_who_adds_a_tenant_is_shown_it(database: Connection, distributor: int) -> None:
    add = (
        "insert into public.tenants (tenant_type, name, parent_id)"
        " values ('customer', 'New', %s) returning id"
    )
    for person, parent in (
        (new_person(database, "admin", distributor), distributor),
        (new_person(database, "superadmin", None), None),
    ):
        with acting_as_person(database, person):
            assert database.execute(add, (parent,)).fetchone() is not None


def test_an_unknown_address_is_a_mistake_of_the_one_who_asks(database: Connection, customer: int) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="has signed up"):
        assign(database, new_person(database, "admin", customer), "no@example.org", "viewer", customer)


def test_a_site_is_not_shared_between_tenants(database: Connection, customer: int, stranger: int) -> None:
    site = database.execute(
        "insert into public.sites (tenant_id, name) values (%s, 'Well') returning id", (stranger,)
    ).fetchone()
    assert site is not None
    device = register(database, "tank")
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="site_of_same_tenant"):
        database.execute(
            "update public.devices set tenant_id = %s, site_id = %s where id = %s",
            (customer, site["id"], device),
        )


def test_members_of_strangers_are_not_told_apart_from_nobody(
    database: Connection, customer: int, stranger: int
) -> None:
    admin = new_person(database, "admin", customer)
    theirs, above = new_person(database, "viewer", stranger), new_person(database, "superadmin", None)
    words = set()
    for name in (str(theirs), str(above), "missing"):
        with pytest.raises(psycopg.Error) as caught:
            assign(database, admin, f"{name}@example.org", "viewer", customer)
        words.add((caught.value.sqlstate, str(caught.value).replace(name, "somebody")))
    assert len(words) == 1


def test_a_refusal_does_not_tell_what_is_whose(database: Connection, customer: int, stranger: int) -> None:
    hub = register(database, "hub", kind="hub")
    database.execute("update public.devices set tenant_id = %s where id = %s", (stranger, hub))
    site = database.execute(
        "insert into public.sites (tenant_id, name) values (%s, 'Hill') returning id", (stranger,)
    ).fetchone()
    assert site is not None
    other = new_tenant(database, "customer", "Another")
    person = new_person(database, "admin", customer)
    for tenant in (stranger, other):
        for table, columns, values in (
            ("alert_rules", "name, rule_type, device_id", f"'x', 'offline', {hub}"),
            ("alert_rules", "name, rule_type, site_id", f"'x', 'offline', {site['id']}"),
            ("alert_notification_rules", "channel_type, address, site_id", f"'bot', '12', {site['id']}"),
            ("devices", "device_key, name, kind, hub_id", f"'x', 'x', 'tank', {hub}"),
        ):
            statement = f"insert into public.{table} (tenant_id, {columns}) values (%s, {values})"
            with pytest.raises(Denied, match="row-level security"), acting_as_person(database, person):
                database.execute(statement.encode(), (tenant,))
