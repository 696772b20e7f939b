"""The applied tables have the columns of shared_schema, in types that hold its ranges."""

import pytest

from shared_schema.metrics import KINDS, LOSS, Field, Kind, Metric
from shared_schema.records import IDENTITY, ROW_FIELDS, columns_of
from tests.supabase.roles import Connection

# Below this, neighbours in a float of 24 bits are less than one step of the decimals apart.
REAL_STEPS = 2**23
INTEGERS = {"epoch": "integer", "lost_epoch": "integer", "quality": "smallint", "time_quality": "smallint"}
# Without these a loss entry or an error says nothing.
REQUIRED = {
    *(field.name for field in ROW_FIELDS),
    *(name for name in LOSS.field_names if name not in {"first_recorded_at", "last_recorded_at", "detail"}),
    "level",
    "code",
    "message",
    "student_id",
    "result",
    "scan_type",
}


def type_of(field: Field) -> str:
    if isinstance(field, Metric):
        limit = max(abs(field.low), abs(field.high))
        if field.decimals == 0:
            return "integer" if limit < 2**31 else "bigint"
        return "real" if limit * 10**field.decimals < REAL_STEPS else "double precision"
    types = {"float": "real", "integer": "bigint", "text": "text", "device": "integer"}
    types["instant"] = "timestamp with time zone"
    return INTEGERS.get(field.name, types[field.type])


def applied(database: Connection, kind: Kind) -> dict[str, tuple[str, bool]]:
    found = database.execute(
        """
        select column_name, data_type, is_nullable = 'YES' as is_nullable
        from information_schema.columns
        where table_schema = 'public' and table_name = %s
        order by ordinal_position
        """,
        (kind.table,),
    )
    return {row["column_name"]: (row["data_type"], row["is_nullable"]) for row in found}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_table_has_the_columns_of_its_kind(database: Connection, kind: Kind) -> None:
    wanted = {
        field.name: (type_of(field), field.name not in REQUIRED) for field in (*ROW_FIELDS, *kind.fields)
    }
    wanted["received_at"] = ("timestamp with time zone", False)
    found = applied(database, kind)
    assert found == wanted
    assert tuple(found) == (*columns_of(kind), "received_at")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_row_is_identified_by_the_promise(database: Connection, kind: Kind) -> None:
    found = database.execute(
        """
        select array_agg(attribute.attname::text order by key.place) as columns
        from pg_index as index
        cross join lateral unnest(index.indkey::smallint[]) with ordinality as key (number, place)
        join pg_attribute as attribute
          on attribute.attrelid = index.indrelid and attribute.attnum = key.number
        where index.indisprimary and index.indrelid = %s::regclass
        """,
        (f"public.{kind.table}",),
    ).fetchone()
    assert found is not None
    assert set(found["columns"]) == set(IDENTITY)
    # In this order the key also serves whoever asks for one device over some time.
    assert found["columns"][:2] == ["device_id", "recorded_at"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.is_telemetry], ids=lambda kind: kind.name)
def test_every_metric_is_held_to_its_range(database: Connection, kind: Kind) -> None:
    found = database.execute(
        """
        select pg_get_constraintdef(oid) as text from pg_constraint
        where contype = 'c' and conrelid = %s::regclass
        """,
        (f"public.{kind.table}",),
    ).fetchall()
    texts = "\n".join(row["text"].replace("(", "").replace(")", "").replace("'", "") for row in found)
    for metric in kind.fields:
        assert isinstance(metric, Metric)
        for bound in (f"{metric.name} >= {metric.low}", f"{metric.name} <= {metric.high}"):
            assert bound in texts, texts


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_tables_say_what_they_are_for(database: Connection, kind: Kind) -> None:
    found = database.execute(
        "select obj_description(%s::regclass) as comment", (f"public.{kind.table}",)
    ).fetchone()
    assert found is not None
    assert found["comment"]
