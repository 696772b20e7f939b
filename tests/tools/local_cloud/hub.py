"""A hub's side of the local cloud, in a few lines of plain HTTP."""

import json
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from email.message import Message
from typing import Any, NamedTuple

from shared_schema.metrics import TANK
from shared_schema.records import IDENTITY, columns_of
from tools.local_cloud.process_io import CloudProcess

INSERT = f"/rest/v1/telemetry_tank?columns={','.join(columns_of(TANK))}&on_conflict={','.join(IDENTITY)}"
IGNORING = "resolution=ignore-duplicates,return=minimal"


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Message


class Hub:
    """A hub with one tank behind it, registered under a key of its own, and signed in."""

    def __init__(self, cloud: CloudProcess) -> None:
        self.cloud = cloud
        self.key = f"hub-{uuid.uuid4().hex[:12]}"
        self.tank_key = f"{self.key}-tank"
        registered = cloud.admin.register_device(self.key, "hub")
        assert registered.secret is not None
        self.secret = registered.secret
        self.id = registered.device_id
        self.tank_id = cloud.admin.register_device(self.tank_key, "tank", self.key).device_id
        self.token = self.ask_for_token().body["access_token"]

    def ask_for_token(self, secret: str | None = None, device_key: str | None = None) -> Answer:
        body = {"device_key": device_key or self.key, "secret": secret or self.secret}
        return self.request("POST", "/functions/v1/device-token", body, token=None)

    def send(self, rows: list[dict[str, Any]], token: str | None = None) -> Answer:
        return self.request("POST", INSERT, rows, token=token or self.token, prefer=IGNORING)

    def row(self, seq: int, **values: Any) -> dict[str, Any]:
        head = (self.tank_id, 7, seq, datetime.now(UTC).isoformat(), 0, 0)
        return {**dict(zip(columns_of(TANK), head, strict=False)), **values}

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None,
        key: str | None = None,
        prefer: str = "",
    ) -> Answer:
        headers = {
            "apikey": self.cloud.publishable_key if key is None else key,
            "content-type": "application/json",
            "prefer": prefer,
        }
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.cloud.url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return _answer(response.status, response.read(), response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read(), error.headers)


def _answer(status: int, content: bytes, headers: Message) -> Answer:
    return Answer(status, json.loads(content) if content else None, headers)
