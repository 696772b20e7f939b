"""docs/API.md has every function, table and Edge Function there is, and no other."""

import pytest

from tests.supabase.roles import Connection
from tests.tools.local_cloud.api_page import PAGE, Function, edge_functions, functions, tables
from tools.local_cloud.node_io import ROOT

ROLES = ["anon", "authenticated", "device", "service_role"]


@pytest.fixture
def callable_functions(database: Connection) -> list[Function]:
    """The functions of the schema public that somebody may call, as the database has them."""
    found = database.execute(
        """
        select proname as name, coalesce(proargnames[:pronargs], '{}') as parameters,
          pronargs - pronargdefaults as required,
          array(
            select role from unnest(%s::text[]) as role where has_function_privilege(role, oid, 'execute')
          ) as callers
        from pg_proc where pronamespace = 'public'::regnamespace
        """,
        (ROLES,),
    ).fetchall()
    return [
        Function(
            row["name"],
            tuple(
                name + ("?" if place >= row["required"] else "")
                for place, name in enumerate(row["parameters"])
            ),
            frozenset(row["callers"]),
        )
        for row in found
        if row["callers"]
    ]


def test_every_function_is_on_the_page_as_it_is(callable_functions: list[Function]) -> None:
    assert len(callable_functions) > 30
    assert sorted(functions(PAGE)) == sorted(callable_functions)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("| `discover_devices()`", "| discover_devices"),
        ("| `discover_devices()`", "| `discover_devices(site_id)`"),
        ("note?)` | ends it by hand", "note)` | ends it by hand"),
        ("`claim_commands(batch_size?)`", "`claim_orders(batch_size?)`"),
        ("for the device and those behind it, oldest first, each once", "| "),
        ("| admin, not who ordered |", "| admin, secret key |"),
    ],
)
def test_a_page_that_has_drifted_is_noticed(
    callable_functions: list[Function], right: str, wrong: str
) -> None:
    assert right in PAGE
    assert sorted(functions(PAGE.replace(right, wrong))) != sorted(callable_functions)


def test_every_table_that_can_be_reached_is_on_the_page(database: Connection) -> None:
    found = database.execute(
        """
        select relname as name from pg_class
        where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace and not relispartition
          and exists (
            select from unnest(%s::text[]) as role
            where has_any_column_privilege(role, oid, 'select, insert, update')
          )
        """,
        (ROLES,),
    ).fetchall()
    assert tables(PAGE) == {row["name"] for row in found}


def test_every_edge_function_is_on_the_page() -> None:
    folders = [path.parent.name for path in (ROOT / "supabase" / "functions").glob("*/index.ts")]
    assert sorted(edge_functions(PAGE)) == sorted(folders)
