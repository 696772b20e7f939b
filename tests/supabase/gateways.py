"""A gateway with devices behind it, and what it sends."""

import hashlib
import json
from typing import Any

from tests.supabase.roles import Connection, register


class Gateway:
    """A gateway with a flow meter and a tank behind it, and its key."""

    def __init__(self, database: Connection, name: str = "gateway") -> None:
        self.database = database
        self.id = register(database, name, kind="gateway")
        self.flow_key, self.tank_key = f"{name}-flow", f"{name}-tank"
        self.flow = register(database, self.flow_key, hub=name, kind="flow")
        self.tank = register(database, self.tank_key, hub=name, kind="tank")
        self.key = key_for(database, self.id)

    def send(self, *readings: Any) -> dict[str, Any]:
        return send(self.database, self.key, list(readings))

    def reason(self, **reading: Any) -> str:
        """Send one reading that is refused, of the flow meter unless it says otherwise; return why."""
        answer = self.send({"device_key": self.flow_key, **reading})
        assert (answer["accepted"], answer["duplicate"]) == (0, 0)
        (entry,) = answer["rejected"]
        assert entry["index"] == 0
        return str(entry["reason"])


def key_for(database: Connection, device_id: int) -> str:
    found = database.execute("select public.create_ingest_key(%s, 'test') as key", (device_id,)).fetchone()
    assert found is not None
    return str(found["key"])


def send(database: Connection, key: str, readings: Any) -> dict[str, Any]:
    key_hash = hashlib.sha256(key.encode()).hexdigest()
    found = database.execute(
        "select public.ingest_readings(%s, %s::jsonb) as answer", (key_hash, json.dumps(readings))
    ).fetchone()
    assert found is not None
    answer: dict[str, Any] = found["answer"]
    return answer


def rows(database: Connection, table: str, device_id: int) -> list[dict[str, Any]]:
    statement = f"select * from public.{table} where device_id = %s order by seq"
    return database.execute(statement.encode(), (device_id,)).fetchall()
