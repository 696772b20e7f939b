"""The official tool on an empty Postgres 17."""

import json

import psycopg

from tests.supabase.roles import Connection
from tools.postgres17 import migrate, supabase_cli


def schema_of(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            """
            select table_schema, table_name, column_name, data_type
            from information_schema.columns
            where table_schema in ('public', 'private', 'partitions')
            order by 1, 2, 3
            """
        ).fetchall()


def test_applying_them_twice_changes_nothing(migrated: str) -> None:
    before = schema_of(migrated)
    again = migrate(migrated)
    assert again.returncode == 0, again.stderr
    assert "Applying" not in again.stdout + again.stderr
    assert schema_of(migrated) == before


def test_a_bare_and_a_hosted_database_end_alike(bare: str, migrated: str) -> None:
    assert schema_of(bare) == schema_of(migrated)
    assert len(schema_of(bare)) > 100


def test_the_rest_server_may_become_a_device(database: Connection) -> None:
    found = database.execute("select pg_has_role('authenticator', 'device', 'set') as may").fetchone()
    assert found == {"may": True}


def findings(url: str) -> list[str]:
    answer = supabase_cli("db", "advisors", f"--remote={url}", "--level=info", "--fail-on=none")
    assert answer.returncode == 0, answer.stderr
    if "No issues found" in answer.stdout + answer.stderr:
        return []
    found = json.loads(answer.stdout[answer.stdout.index("[") : answer.stdout.rindex("]") + 1])
    # Nothing has been asked of a new database, so none of its indexes has been used.
    return [finding["detail"] for finding in found if finding["name"] != "unused_index"]


def test_advisors_have_nothing_to_say(migrated: str) -> None:
    assert findings(migrated) == []


def test_advisors_object_to_an_open_table(migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute("create table public.open_to_all (id integer primary key)")
        connection.execute("grant select on public.open_to_all to anon")
        try:
            found = findings(migrated)
        finally:
            connection.execute("drop table public.open_to_all")
    assert any("open_to_all" in finding for finding in found)
