"""A hub's side of the local cloud, in a few lines of plain HTTP."""

import uuid
from datetime import UTC, datetime
from typing import Any

from shared_schema.metrics import TANK
from shared_schema.records import IDENTITY, columns_of
from tests.tools.local_cloud.rest import Answer, ask
from tools.local_cloud.process_io import CloudProcess

INSERT = f"/rest/v1/telemetry_tank?columns={','.join(columns_of(TANK))}&on_conflict={','.join(IDENTITY)}"
IGNORING = "resolution=ignore-duplicates,return=minimal"


class Hub:
    """A hub with one tank behind it, registered under a key of its own, signed in. tenant: whose it is."""

    def __init__(self, cloud: CloudProcess, tenant: str | None = None) -> None:
        self.cloud = cloud
        self.key = f"hub-{uuid.uuid4().hex[:12]}"
        self.tank_key = f"{self.key}-tank"
        registered = cloud.admin.register_device(self.key, "hub", tenant=tenant)
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
        headers = {"apikey": self.cloud.publishable_key if key is None else key, "prefer": prefer}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return ask(self.cloud.url + path, method, body, headers)
