"""Rows of a cloud, written with the secret key."""

import json
from collections.abc import Sequence
from typing import Any

from tools.local_cloud.process_io import CloudProcess

Row = dict[str, Any]


def insert(cloud: CloudProcess, table: str, rows: Sequence[Row]) -> list[Row]:
    """Insert rows and return them as they are stored."""
    body: Any = list(rows)
    content, _ = cloud.admin._request("POST", f"/rest/v1/{table}", body, prefer="return=representation")
    stored: list[Row] = json.loads(content)
    return stored


def change(cloud: CloudProcess, query: str, **values: Any) -> None:
    """Change the rows of a query such as "devices?id=eq.1"."""
    cloud.admin._request("PATCH", f"/rest/v1/{query}", values)


def remove(cloud: CloudProcess, query: str) -> None:
    """Remove the rows of a query."""
    cloud.admin._request("DELETE", f"/rest/v1/{query}")
