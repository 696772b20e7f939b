"""What is heard on the channels is what docs/API.md says."""

from typing import Any

import pytest

from tests.tools.local_cloud.api_page import PAGE, payloads
from tests.tools.local_cloud.people import listening, until
from tests.tools.local_cloud.site import Site
from tools.local_cloud.process_io import CloudProcess

RULE = {
    "name": "too sour",
    "rule_type": "threshold",
    "table_name": "telemetry_tank",
    "metric": "ph",
    "is_above": False,
    "threshold": 6.5,
}


@pytest.fixture(scope="module")
def site(local_cloud: CloudProcess) -> Site:
    return Site(local_cloud)


def names_in(payload: Any) -> set[str]:
    """Return every name in a payload, but those of metrics."""
    if isinstance(payload, list):
        return set().union(*map(names_in, payload))
    if not isinstance(payload, dict):
        return set()
    return set(payload).union(*(names_in(part) for name, part in payload.items() if name != "latest"))


def bring_about_every_event(site: Site) -> None:
    rule = {"tenant_id": site.tenant_id, **RULE}
    assert site.ask("admin", "POST", "/rest/v1/alert_rules", rule).status == 201
    assert site.hub.send([site.hub.row(1, ph=7.0)]).status == 201
    offline = {"status": "offline"}
    path = f"/rest/v1/device_state?device_id=eq.{site.hub.tank_id}"
    assert site.hub.request("PATCH", path, offline, token=None, key=site.cloud.secret_key).status == 204
    assert site.hub.send([site.hub.row(2, ph=6.0)]).status == 201
    order = {"device_id": site.hub.tank_id, "command_type": "identify"}
    assert site.call("operator", "create_command", **order).status == 200


async def test_every_event_has_the_payload_of_the_page(site: Site) -> None:
    documented = payloads(PAGE)
    topics = {"tenant": f"tenant:{site.tenant_id}", "hub": f"hub:{site.hub.id}"}
    async with (
        listening(site.cloud, topics["tenant"], site.tokens["viewer"]) as people,
        listening(site.cloud, topics["hub"], site.tokens["device"]) as hub,
    ):
        bring_about_every_event(site)
        await until(lambda: "command" in people.events and "command" in hub.events)
        heard = {
            (topic, event): names_in(payload) - {"id"}
            for topic, listener in (("tenant", people), ("hub", hub))
            for event, payload in zip(listener.events, listener.payloads, strict=True)
        }
    assert heard == documented
    assert hub.payloads[0]["device_id"] == site.hub.tank_id
