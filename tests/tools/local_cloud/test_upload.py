"""What the hub's uplink relies on, over HTTP: the answers PostgREST would give."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tools.local_cloud.hub import INSERT, Hub

UNTIL_LATER = "2099-01-01T00:00:00Z"


def stored(hub: Hub) -> int:
    return sum(row.rows_stored for row in hub.cloud.admin.completeness(hub.tank_key))


def test_a_batch_is_stored_once_however_often_it_is_sent(hub: Hub) -> None:
    rows = [hub.row(seq, ph=7.25) for seq in range(1, 1001)]
    assert [hub.send(rows[:600]).status, hub.send(rows).status, hub.send(rows).status] == [201, 201, 201]
    found = hub.cloud.admin.completeness(hub.tank_key)
    assert [(row.rows_stored, row.duplicates, row.unexplained_gaps) for row in found] == [(1000, 0, 0)]


def test_columns_that_a_row_leaves_out_are_null(hub: Hub) -> None:
    assert hub.send([hub.row(1)]).status == 201
    (row,) = hub.cloud.admin.select(f"telemetry_tank?select=ph,seq&device_id=eq.{hub.tank_id}")
    assert row == {"ph": None, "seq": 1}


@pytest.mark.parametrize(
    ("values", "status", "code"),
    [
        ({"recorded_at": UNTIL_LATER}, 403, "42501"),
        ({"device_id": 1_000_000}, 403, "42501"),
        ({"ph": 99}, 400, "23514"),
        ({"ph": "acid"}, 400, "22P02"),
        ({"seq": 2**63}, 400, "22003"),
        ({"quality": None}, 400, "23502"),
        ({"recorded_at": "yesterday evening"}, 400, "22007"),
    ],
)
def test_one_bad_row_refuses_the_batch_with_its_reason(
    hub: Hub, values: dict[str, object], status: int, code: str
) -> None:
    answer = hub.send([hub.row(1), {**hub.row(2), **values}, hub.row(3)])
    assert (answer.status, answer.body["code"]) == (status, code)
    assert stored(hub) == 0


@pytest.mark.parametrize("body", [b"", b"[", b'[{"device_id": 1', b'"text"', b"[1]", b"\xff"])
def test_a_body_that_is_not_rows_is_refused(hub: Hub, body: bytes) -> None:
    answer = hub.request("POST", INSERT, body, token=hub.token)
    assert (answer.status, answer.body["code"]) == (400, "PGRST102")


def test_a_column_or_a_table_that_is_not_there_is_named(hub: Hub) -> None:
    column = hub.request("POST", INSERT.replace("ph", "acidity"), [hub.row(1)], token=hub.token)
    assert (column.status, column.body["code"]) == (400, "PGRST204")
    table = hub.request(
        "POST", INSERT.replace("telemetry_tank", "telemetry_soup"), [hub.row(1)], token=hub.token
    )
    assert (table.status, table.body["code"]) == (404, "PGRST205")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "a.b.c.d", ""])
def test_a_token_that_was_not_issued_here_opens_nothing(hub: Hub, token: str) -> None:
    for answer in (
        hub.request("POST", INSERT, [hub.row(1)], token=token),
        hub.request("GET", "/rest/v1/devices?select=id", token=token),
    ):
        assert answer.status == 401


def test_a_token_with_other_claims_under_the_old_signature_opens_nothing(hub: Hub) -> None:
    other = Hub(hub.cloud)
    header, _, signature = hub.token.split(".")
    forged = ".".join((header, other.token.split(".")[1], signature))
    assert hub.request("POST", INSERT, [other.row(1)], token=forged).status == 401


@pytest.mark.parametrize("path", [INSERT, "/rest/v1/devices?select=id", "/functions/v1/device-token"])
@pytest.mark.parametrize("key", ["", "sb_publishable_wrong"])
def test_nothing_answers_without_the_right_api_key(hub: Hub, path: str, key: str) -> None:
    method = "GET" if "select" in path else "POST"
    body = None if method == "GET" else [hub.row(1)]
    assert hub.request(method, path, body, token=hub.token, key=key).status == 401


def test_without_a_token_nothing_can_be_sent_or_read(hub: Hub) -> None:
    assert hub.request("POST", INSERT, [hub.row(1)], token=None).status == 401
    assert hub.request("GET", "/rest/v1/devices?select=id", token=None).status == 401


def test_the_hub_finds_the_numbers_of_its_devices(hub: Hub) -> None:
    answer = hub.request("GET", "/rest/v1/devices?select=id,device_key&order=id", token=hub.token)
    assert answer.body == [
        {"id": hub.id, "device_key": hub.key},
        {"id": hub.tank_id, "device_key": hub.tank_key},
    ]


def test_a_revoked_device_is_refused_with_the_token_it_has(hub: Hub) -> None:
    assert hub.send([hub.row(1)]).status == 201
    hub.cloud.admin.revoke_device(hub.key)
    assert hub.send([hub.row(2)]).status == 403
    assert hub.ask_for_token().status == 401
    assert stored(hub) == 1


def test_requests_at_the_same_time_do_not_share_a_role(hub: Hub) -> None:
    other = Hub(hub.cloud)
    with ThreadPoolExecutor(8) as pool:
        own = [pool.submit(hub.send, [hub.row(seq)]) for seq in range(1, 21)]
        spoofed = [pool.submit(hub.send, [hub.row(seq)], other.token) for seq in range(21, 41)]
        reads = [
            pool.submit(other.request, "GET", "/rest/v1/devices?select=id", token=other.token)
            for _ in range(20)
        ]
    assert {answer.result().status for answer in own} == {201}
    assert {answer.result().status for answer in spoofed} == {403}
    assert all(len(answer.result().body) == 2 for answer in reads)
    assert stored(hub) == 20
