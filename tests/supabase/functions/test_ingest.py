"""ingest: what a gateway may send, over HTTP."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.supabase.functions.deno import Answer, call
from tools.local_cloud.process_io import CloudProcess


class Gateway:
    """A gateway with a flow meter behind it, and its key."""

    def __init__(self, cloud: CloudProcess) -> None:
        self.cloud = cloud
        name = f"gateway-{uuid.uuid4().hex[:12]}"
        self.id = cloud.admin.register_device(name, "gateway").device_id
        self.flow_key = f"{name}-flow"
        self.flow = cloud.admin.register_device(self.flow_key, "flow", name).device_id
        self.key = str(cloud.admin.call("create_ingest_key", {"device_id": self.id, "name": "test"}))

    def send(self, body: Any, **headers: str) -> Answer:
        sent = {"x-api-key": self.key, "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return call("POST", f"{self.cloud.url}/functions/v1/ingest", data, sent)

    def reading(self, **values: Any) -> dict[str, Any]:
        return {"device_key": self.flow_key, "flow_rate_lpm": 12.5, **values}

    def rows(self) -> list[dict[str, Any]]:
        return self.cloud.admin.select(f"telemetry_flow?device_id=eq.{self.flow}&order=seq")


@pytest.fixture
def gateway(local_cloud: CloudProcess) -> Gateway:
    return Gateway(local_cloud)


def test_one_reading_or_an_array_is_stored(gateway: Gateway) -> None:
    assert gateway.send(gateway.reading()).body == {"accepted": 1, "duplicate": 0, "rejected": []}
    start = datetime.now(UTC) - timedelta(hours=1)
    readings = [gateway.reading(timestamp=(start + timedelta(seconds=n)).timestamp()) for n in range(1000)]
    assert gateway.send(readings).body == {"accepted": 1000, "duplicate": 0, "rejected": []}
    assert gateway.send(readings).body == {"accepted": 0, "duplicate": 1000, "rejected": []}
    (found,) = gateway.cloud.admin.completeness(gateway.flow_key)
    assert (found.rows_stored, found.duplicates, found.unexplained_gaps) == (1001, 0, 0)
    assert gateway.send([]).body == {"accepted": 0, "duplicate": 0, "rejected": []}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"flow_rate_lpm": 1e400}', "flow_rate_lpm: out of range"),
        ('{"flow_rate_lpm": -1e999999999}', "flow_rate_lpm: out of range"),
        ('{"device_key": "a\\u0000b", "flow_rate_lpm": 1}', "device_key: too long or not a text"),
        ('{"device_key": "\\ud800", "flow_rate_lpm": 1}', "device_key: too long or not a text"),
        ('{"\\u0000": 1}', "a name is too long or not a text"),
        ('{"flow_rate_lpm": {"a": 1}}', "flow_rate_lpm: expected a number"),
        ('{"flow_rate_lpm": ' + "[" * 5000 + "]" * 5000 + "}", "flow_rate_lpm: expected a number"),
        ('{"flow_rate_lpm": "NaN"}', "no device"),
        ("null", "expected an object"),
        ('"text"', "expected an object"),
        ('{"device_key": "\'; drop table devices; --", "flow_rate_lpm": 1}', "unknown device"),
        ('{"timestamp": "9999-01-01T00:00:00Z", "flow_rate_lpm": 1}', "no device"),
    ],
)
def test_one_bad_reading_is_named_and_costs_no_other(gateway: Gateway, bad: str, reason: str) -> None:
    good = [json.dumps(gateway.reading(timestamp=datetime.now(UTC).timestamp() - n)) for n in (1, 2)]
    answer = gateway.send(f"[{good[0]},{bad},{good[1]}]".encode())
    assert (answer.status, answer.body["accepted"]) == (200, 2)
    (entry,) = answer.body["rejected"]
    assert entry["index"] == 1
    # Without a key the gateway speaks of itself, and it measures nothing.
    assert entry["reason"].startswith("a device of the kind gateway" if reason == "no device" else reason)
    assert [row["flow_rate_lpm"] for row in gateway.rows()] == [12.5, 12.5]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'[{"flow_rate_lpm": NaN}]', 400),
        (b'[{"flow_rate_lpm": Infinity}]', 400),
        (b"7", 400),
        (b"\xff\xfe", 400),
        (b"[" + b"{}," * 1000 + b"{}]", 413),
        (b'{"x": "' + b"a" * 1_000_000 + b'"}', 413),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(gateway: Gateway, body: bytes, status: int) -> None:
    answer = gateway.send(body)
    assert answer.status == status
    assert answer.body["message"]


def test_a_key_is_needed_and_has_an_end(gateway: Gateway) -> None:
    assert gateway.send(gateway.reading(), x_api_key="psk_unknown").status == 401
    assert gateway.send(gateway.reading(), x_api_key="").status == 401
    (row,) = gateway.cloud.admin.select(f"ingest_keys?device_id=eq.{gateway.id}&select=id,key_prefix")
    assert gateway.key.startswith(row["key_prefix"])
    gateway.cloud.admin.call("revoke_ingest_key", {"id": row["id"]})
    answer = gateway.send(gateway.reading())
    assert (answer.status, answer.body["code"]) == (401, "refused")
    assert gateway.rows() == []


def test_other_content_than_json_and_other_methods_are_refused(gateway: Gateway) -> None:
    assert gateway.send(gateway.reading(), content_type="text/xml").status == 415
    assert gateway.send(gateway.reading(), content_type="application/json; charset=utf-8").status == 200
    answer = call("GET", f"{gateway.cloud.url}/functions/v1/ingest", None, {"x-api-key": gateway.key})
    assert answer.status == 405


def test_more_than_sixty_in_a_minute_are_put_off(gateway: Gateway) -> None:
    answers = [gateway.send(b"[]") for _ in range(121)]  # a minute may end once in between
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    assert int(limited[0].headers["retry-after"]) <= 60
    assert {answer.status for answer in answers} == {200, 429}
