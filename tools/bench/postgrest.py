"""What PostgREST has Postgres execute for a request: in one transaction the role, the claims, the statement.

Source: PostgREST, QueryBuilder.hs and SqlFragment.hs; its documentation, "Transactions".
"""

import json
from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from shared_schema.metrics import Kind
from shared_schema.records import IDENTITY, columns_of

SETTINGS: LiteralString = """
select set_config('search_path', 'public', true), set_config('role', %s, true),
  set_config('request.jwt.claims', %s, true), set_config('request.method', %s, true),
  set_config('request.path', %s, true), set_config('request.headers', '{}', true),
  set_config('request.cookies', '{}', true)
"""

Columns = Mapping[str, str]  # type by name


def settings_for(claims: Mapping[str, Any], method: str, path: str) -> tuple[str, ...]:
    """Return the parameters of SETTINGS."""
    return str(claims["role"]), json.dumps(claims), method, path


def device_claims(device_id: int, device_key: str) -> dict[str, Any]:
    """Return what the token of a device claims."""
    return {"role": "device", "device_id": device_id, "device_key": device_key}


def types_of(connection: psycopg.Connection[Any], table: str) -> dict[str, str]:
    """Return the type of every column."""
    found = connection.execute(
        """
        select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = %s::regclass and attnum > 0 and not attisdropped
        """,
        (f"public.{table}",),
    )
    return {str(name): str(kind) for name, kind in found}


def insert_of(table: str, kind: Kind, types: Columns) -> sql.Composed:
    """Return the bulk insert; its one parameter is the body. table: in public, with the kind's columns."""
    names = columns_of(kind)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_type(types[name]))) for name in names
    )
    return sql.SQL(
        """
        with pgrst_source as (
          insert into {table} ({columns})
          select {columns} from (select %s::json as json_data) pgrst_payload,
          lateral (
            select {columns} from json_to_recordset(pgrst_payload.json_data) as _({typed})
          ) pgrst_body
          on conflict ({identity}) do nothing
          returning 1
        )
        select '' as total_result_set, pg_catalog.count(_postgrest_t) as page_total,
          array[]::text[] as header, ''::text as body,
          nullif(current_setting('response.headers', true), '') as response_headers,
          nullif(current_setting('response.status', true), '') as response_status
        from (select * from pgrst_source) _postgrest_t
        """
    ).format(
        table=sql.Identifier("public", table),
        columns=columns,
        typed=typed,
        identity=sql.SQL(", ").join(map(sql.Identifier, IDENTITY)),
    )


def _type(name: str) -> LiteralString:
    types: dict[str, LiteralString] = {
        known: known
        for known in (
            "integer",
            "bigint",
            "smallint",
            "real",
            "double precision",
            "text",
            "timestamp with time zone",
        )
    }
    return types[name]


def as_caller(
    connection: psycopg.Connection[Any],
    claims: Mapping[str, Any],
    statement: sql.Composed,
    body: str,
    path: str,
) -> int:
    """Execute a bulk insert as PostgREST would, and return how many rows were new."""
    with connection.transaction():
        connection.execute(SETTINGS, settings_for(claims, "POST", path), prepare=True)
        answer = connection.execute(statement, (body,), prepare=True).fetchone()
    return int(answer[1]) if answer else 0
