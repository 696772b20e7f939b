"""A site as those meet it who write a client: people with tokens of their own, and a hub with its."""

import uuid
from typing import Any

from tests.tools.local_cloud.hub import Hub
from tests.tools.local_cloud.rest import Answer, ask
from tools.local_cloud.process_io import CloudProcess

STAFF = ("viewer", "operator", "admin", "second_admin")
PASSWORD = "correct horse"


class Site:
    """A tenant of its own with a hub and a tank, its staff, and an admin of another tenant."""

    def __init__(self, cloud: CloudProcess) -> None:
        self.cloud = cloud
        tenant, other = (f"{name} {uuid.uuid4().hex[:8]}" for name in ("Farm", "Neighbour"))
        self.hub = Hub(cloud, tenant)
        self.other_hub = Hub(cloud, other)
        (found,) = cloud.admin.select(f"devices?id=eq.{self.hub.id}&select=tenant_id")
        self.tenant_id = found["tenant_id"]
        self.ids: dict[str, str] = {}
        # As who: the token that goes with the request; without one, only the publishable key does.
        self.tokens: dict[str, str | None] = {"nobody": None, "device": self.hub.token}
        self.tokens["other_device"] = self.other_hub.token
        for person in STAFF:
            self._let_in(person, person.removeprefix("second_"), tenant)
        self._let_in("stranger", "admin", other)

    def _let_in(self, person: str, role: str, tenant: str) -> None:
        email = f"{person}-{uuid.uuid4().hex[:12]}@example.org"
        signed_up = self.ask("nobody", "POST", "/auth/v1/signup", {"email": email, "password": PASSWORD})
        assert signed_up.status == 200, signed_up.body
        self.cloud.admin.assign_role(email, role, tenant)
        self.ids[person] = signed_up.body["user"]["id"]
        self.tokens[person] = signed_up.body["access_token"]

    def ask(self, who: str, method: str, path: str, body: Any = None) -> Answer:
        """Send a request as somebody: a person by their place, device, other_device or nobody."""
        return self.hub.request(method, path, body, token=self.tokens[who])

    def call(self, who: str, function: str, **arguments: Any) -> Answer:
        """Call a function as somebody."""
        return self.ask(who, "POST", f"/rest/v1/rpc/{function}", arguments)

    def call_with_secret_key(self, function: str, **arguments: Any) -> Answer:
        headers = {"apikey": self.cloud.secret_key}
        return ask(f"{self.cloud.url}/rest/v1/rpc/{function}", "POST", arguments, headers)

    def rows(self, who: str, query: str) -> list[dict[str, Any]]:
        """Return what somebody reads."""
        answer = self.ask(who, "GET", f"/rest/v1/{query}")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.body
        return found


def refused(answer: Answer, status: int, code: str, words: str) -> None:
    """Hold an answer to its status, its SQLSTATE and words of its message."""
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert words in answer.body["message"]
    assert set(answer.body) == {"code", "message", "details", "hint"}
