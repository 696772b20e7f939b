"""Every cell of the access matrix, asked of Postgres 17 as the REST server would ask."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tests.supabase.access.matrix import ACTIONS, ROLES, Cell, cells, tables
from tests.supabase.access.specimens import SPECIMENS, Row, Specimen
from tests.supabase.access.world import World, build
from tests.supabase.roles import Connection

SEEDED, ADDED = 1, 2


class _RolledBack(Exception):
    """Ends a trial and undoes it."""


@pytest.fixture(scope="module")
def database(migrated: str) -> Iterator[Connection]:
    with psycopg.connect(migrated, row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="module")
def world(database: Connection) -> World:
    built = build(lambda table, row: _inserted(database, table, row))
    for table, specimen in SPECIMENS.items():
        for device in (built.tank, built.revoked):
            _insert(database, table, specimen.row(built, device, SEEDED), is_kept=True)
    # Those a person adds are pending; a hub sees only those in service.
    database.execute("update public.devices set status = 'active' where status = 'pending'")
    return built


def test_every_table_is_in_the_matrix(database: Connection) -> None:
    found = database.execute(
        """
        select relnamespace::regnamespace || '.' || relname as name from pg_class
        where relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition
          and relnamespace in ('public'::regnamespace, 'private'::regnamespace)
        """
    ).fetchall()
    assert sorted(tables()) == sorted(row["name"] for row in found)


def test_every_table_in_the_matrix_has_a_specimen() -> None:
    assert set(SPECIMENS) == {table for table in tables() if table.startswith("public.")}


@pytest.mark.parametrize("table", tables())
def test_access(table: str, database: Connection, world: World) -> None:
    asked = [cell for cell in cells() if cell.table == table]
    assert len(asked) == len(ROLES) * len(ACTIONS)
    answers = {cell: _is_possible(database, world, cell) for cell in asked}
    assert [cell for cell, is_possible in answers.items() if cell.is_allowed != is_possible] == []


def _is_possible(database: Connection, world: World, cell: Cell) -> bool:
    specimen = SPECIMENS.get(cell.table)
    try:
        with database.transaction():
            if specimen and cell.action == "insert" and specimen.is_one_a_device:
                _delete(database, cell.table, specimen, world, cell.role)
            with _acting(database, world, cell.role):
                rows = _try(database, world, cell, specimen)
            raise _RolledBack(rows)  # noqa: TRY301  the way to undo what was possible
    except psycopg.errors.InsufficientPrivilege:
        return False
    except _RolledBack as end:
        return bool(end.args[0])


def _try(database: Connection, world: World, cell: Cell, specimen: Specimen | None) -> int:
    """Return how many rows the action reached."""
    name = sql.Identifier(*cell.table.split("."))
    if specimen is None:
        column = sql.SQL("*") if cell.action == "select" else sql.SQL("")
        statement = {
            "select": sql.SQL("select {} from {}").format(column, name),
            "insert": sql.SQL("insert into {} default values").format(name),
            "update": sql.SQL("select from {} for update").format(name),
            "delete": sql.SQL("delete from {} where true").format(name),
        }[cell.action]
        return database.execute(statement).rowcount
    device = world.device_of(cell.role)
    if cell.action == "insert":
        number = SEEDED if specimen.is_one_a_device else ADDED
        return _insert(database, cell.table, specimen.row(world, device, number), is_kept=False)
    if cell.action == "delete":
        return _delete(database, cell.table, specimen, world, cell.role)
    where, values = _found_by(specimen, specimen.row(world, device, SEEDED))
    if cell.action == "select":
        key = sql.SQL(", ").join(map(sql.Identifier, specimen.key))
        return database.execute(
            sql.SQL("select {} from {} where {}").format(key, name, where), values
        ).rowcount
    column, value = specimen.change
    change = sql.SQL("update {} set {} = %s where {}").format(name, sql.Identifier(column), where)
    return database.execute(change, (value, *values)).rowcount


def _insert(database: Connection, table: str, row: Row, *, is_kept: bool) -> int:
    statement, values = _insertion(table, row)
    ending = sql.SQL("on conflict do nothing") if is_kept else sql.SQL("")
    return database.execute(sql.SQL("{} {}").format(statement, ending), values).rowcount


def _inserted(database: Connection, table: str, row: Row) -> Row:
    statement, values = _insertion(table, row)
    found = database.execute(sql.SQL("{} returning *").format(statement), values).fetchone()
    assert found is not None
    return found


def _insertion(table: str, row: Row) -> tuple[sql.Composed, tuple[object, ...]]:
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    places = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    values = tuple(json.dumps(value) if isinstance(value, dict) else value for value in row.values())
    name = sql.Identifier(*table.split("."))
    return sql.SQL("insert into {} ({}) values ({})").format(name, columns, places), values


def _delete(database: Connection, table: str, specimen: Specimen, world: World, role: str) -> int:
    where, values = _found_by(specimen, specimen.row(world, world.device_of(role), SEEDED))
    name = sql.Identifier(*table.split("."))
    return database.execute(sql.SQL("delete from {} where {}").format(name, where), values).rowcount


def _found_by(specimen: Specimen, row: Row) -> tuple[sql.Composed, tuple[object, ...]]:
    terms = [sql.SQL("{} = %s").format(sql.Identifier(column)) for column in specimen.key]
    return sql.SQL(" and ").join(terms), tuple(row[column] for column in specimen.key)


@contextmanager
def _acting(database: Connection, world: World, role: str) -> Iterator[None]:
    claims = world.claims(role)
    database.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
        (claims["role"], json.dumps(claims)),
    )
    yield
