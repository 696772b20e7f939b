import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ports import Batch, Value
from hub.uplink.rows import body_of, insert_of, rows_with_unknown_devices
from shared_schema.metrics import ERROR, FLOW, LOSS, TANK, Kind
from shared_schema.records import columns_of

IDS = {"tank-1": 11, "tank-2": 22}


def batch_of(kind: Kind, rows: list[tuple[Value, ...]], **columns: Any) -> Batch:
    count = len(rows)
    defaults: dict[str, Any] = {
        "device_keys": [("tank-1", "tank-2")[index % 2] for index in range(count)],
        "epochs": [7] * count,
        "seqs": list(range(1, count + 1)),
        "recorded_at_ms": [1_800_000_000_000 + 250 * index for index in range(count)],
        "qualities": [0] * count,
        "time_qualities": [0] * count,
    }
    values = [list(column) for column in zip(*rows, strict=True)]
    return Batch(1, 1, kind.name, columns=values, **(defaults | columns))


def decoded(batch: Batch, kind: Kind, rows: list[int] | None = None) -> list[dict[str, Any]]:
    """Return what PostgREST makes of the body: absent columns are null."""
    chosen = list(range(len(batch))) if rows is None else rows
    found = json.loads(body_of(batch, kind, chosen, IDS))
    return [{name: row.get(name) for name in columns_of(kind)} for row in found]


def expected(batch: Batch, kind: Kind, row: int) -> dict[str, Any]:
    moment = datetime.fromtimestamp(batch.recorded_at_ms[row] // 1000, UTC)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{batch.recorded_at_ms[row] % 1000:03d}Z"
    head = (IDS[batch.device_keys[row]], batch.epochs[row], batch.seqs[row], text)
    quality = (batch.qualities[row], batch.time_qualities[row])
    values = tuple(column[row] for column in batch.columns)
    return dict(zip(columns_of(kind), (*head, *quality, *values), strict=True))


FLOAT = st.none() | st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.none() | st.integers(-(2**40), 2**40)
TANK_VALUES = st.tuples(FLOAT, WHOLE, FLOAT, WHOLE, FLOAT, FLOAT)


@given(
    st.lists(
        st.tuples(
            TANK_VALUES, st.sampled_from(sorted(IDS)), st.integers(0, 4_000_000_000_000), st.integers(0, 2)
        ),
        min_size=1,
        max_size=20,
    ),
    st.data(),
)
def test_says_what_the_batch_says(
    rows: list[tuple[tuple[Value, ...], str, int, int]], data: st.DataObject
) -> None:
    batch = batch_of(
        TANK,
        [row[0] for row in rows],
        device_keys=[row[1] for row in rows],
        recorded_at_ms=[row[2] for row in rows],
        qualities=[row[3] for row in rows],
    )
    chosen = sorted(data.draw(st.sets(st.integers(0, len(rows) - 1), min_size=1)))
    assert decoded(batch, TANK, chosen) == [expected(batch, TANK, row) for row in chosen]


@given(st.lists(st.none() | st.text(max_size=20), min_size=1, max_size=6))
def test_keeps_every_text_whole(texts: list[str | None]) -> None:
    batch = batch_of(ERROR, [("error", "code", text, None) for text in texts])
    assert [row["message"] for row in decoded(batch, ERROR)] == texts


def test_leaves_out_what_is_null_throughout_and_names_the_column_all_the_same() -> None:
    batch = batch_of(TANK, [(1.0, 2, 3.0, None, None, None)] * 3)
    assert b"ph" not in body_of(batch, TANK, [0, 1, 2], IDS)
    path = insert_of(TANK, b"[]", "token").path
    assert path == (
        "/rest/v1/telemetry_tank?columns=device_id,epoch,seq,recorded_at,quality,time_quality,"
        "water_level_cm,volume_l,temperature_c,tds_ppm,ph,battery_v&on_conflict=device_id,epoch,seq,recorded_at"
    )


def test_writes_one_row_and_rows_that_are_all_the_same() -> None:
    same = batch_of(
        TANK,
        [(1.5, None, None, None, None, None)] * 2,
        device_keys=["tank-1"] * 2,
        seqs=[1, 1],
        recorded_at_ms=[5, 5],
    )
    assert decoded(same, TANK) == [expected(same, TANK, 0)] * 2
    assert decoded(same, TANK, [1]) == [expected(same, TANK, 1)]
    assert body_of(same, TANK, [], IDS) == b"[]"


def test_takes_columns_that_are_not_lists() -> None:
    batch = batch_of(TANK, [(1.0, 5, 3.0, 1, 7.0, 12.0), (2.0, 6, 3.0, 1, 7.5, 12.0)])
    as_tuples = Batch(
        1,
        1,
        "tank",
        *[tuple(c) for c in (batch.device_keys, batch.epochs)],
        range(1, 3),  # type: ignore[arg-type]
        batch.recorded_at_ms,
        batch.qualities,
        batch.time_qualities,
        [tuple(c) for c in batch.columns],
    )
    assert decoded(as_tuples, TANK) == decoded(batch, TANK)


def test_sends_whole_numbers_where_the_cloud_keeps_whole_numbers() -> None:
    batch = batch_of(TANK, [(1.0, 12.0, None, 3.6, None, None), (1.0, 13, None, None, None, None)])
    body = body_of(batch, TANK, [0, 1], IDS)
    assert b'"volume_l":12,' in body
    assert [row["tds_ppm"] for row in decoded(batch, TANK)] == [4, None]


@pytest.mark.parametrize("strange", [float("nan"), float("inf"), -float("inf")])
def test_sends_null_for_what_is_no_number(strange: float) -> None:
    batch = batch_of(TANK, [(strange, strange, None, None, None, None), (1.0, 2, None, None, None, None)])
    assert [(row["water_level_cm"], row["volume_l"]) for row in decoded(batch, TANK)] == [
        (None, None),
        (1.0, 2),
    ]


@pytest.mark.parametrize("strange", [2**70, "12,5", "\ud800"])
def test_lets_the_cloud_refuse_what_is_no_value_instead_of_failing(strange: Value) -> None:
    batch = batch_of(FLOW, [(strange, 1.0, None, None, None, None), (2.0, 1.5, None, None, None, None)])
    assert [row["flow_rate_lpm"] for row in decoded(batch, FLOW)] == [strange, 2.0]


def test_shows_the_number_of_an_instant_no_calendar_has() -> None:
    batch = batch_of(TANK, [(1.0,) + (None,) * 5] * 2, recorded_at_ms=[10**18, 1_800_000_000_000])
    assert [row["recorded_at"] for row in decoded(batch, TANK)] == [
        "1000000000000000 s.000Z",
        "2027-01-15T08:00:00.000Z",
    ]


def test_numbers_the_device_and_dates_the_range_of_a_loss() -> None:
    row = ("tank-2", 9, 5, 8, "evicted", 1_800_000_000_001, None, "disk full, oldest first")
    batch = batch_of(LOSS, [row])
    (found,) = decoded(batch, LOSS)
    assert (found["lost_device_id"], found["first_seq"], found["last_seq"]) == (22, 5, 8)
    assert (found["first_recorded_at"], found["last_recorded_at"]) == ("2027-01-15T08:00:00.001Z", None)


def test_finds_rows_that_speak_of_devices_without_a_number() -> None:
    row = ("tank-9", 9, 5, 8, "evicted", None, None, None)
    known = ("tank-2", *row[1:])
    batch = batch_of(LOSS, [row, known, known], device_keys=["tank-1", "tank-1", "hub"])
    assert rows_with_unknown_devices(batch, LOSS, IDS) == {0: "tank-9", 2: "hub"}
