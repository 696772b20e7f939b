"""Who counts as a neighbour, and what anybody's words can do: nothing but that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mesh.announcement import NODE_TYPE, hub_service, node_label, node_service, site_mark
from hub.mesh.neighbours import HEARD_MOST, Heard, Neighbourhood, addresses_for_nodes
from hub.mesh.own_addresses import OwnAddress, nearest, usable
from hub.mesh.published import CHANGES_MOST, KEPT_S, NODES_MOST, Published
from hub.mesh.settings import MeshSettings
from shared_schema.neighbours import HUBS_MOST, Hubs, encode_hubs

SITE_KEY = bytes(range(32))
LAN = OwnAddress("eth0", "10.0.0.5", "255.255.255.0", True)
WIFI = OwnAddress("wlan0", "192.168.4.1", "255.255.255.0", True)


def settings(device_key: str = "hub-a", **changes: object) -> MeshSettings:
    values: dict[str, object] = {"device_key": device_key, "site_key": SITE_KEY, "node_port": 8266, **changes}
    return MeshSettings(**values)  # type: ignore[arg-type]


def heard(device_key: str, *addresses: str, site_key: bytes = SITE_KEY, **texts: str) -> Heard:
    """What a hub says of itself, changed."""
    said = hub_service(settings(device_key, site_key=site_key), addresses or ("10.0.0.7",))
    return Heard(said.addresses, said.port, {**said.texts, **texts})


def neighbourhood(**hubs: Heard) -> Neighbourhood:
    found = Neighbourhood(settings())
    found.begin((LAN, WIFI))
    for label, each in hubs.items():
        found.hub(label, each)
    return found


def test_says_of_a_hub_what_nodes_dashboards_and_hubs_look_for() -> None:
    said = hub_service(settings("hub.a", name="Pump house", location="North", api_port=8080), ("10.0.0.5",))
    assert {"device_id", "name", "location", "api_port", "role", "version", "node_port"} <= set(said.texts)
    assert (said.label, said.port) == ("hub-a", 8080)
    assert said.texts["device_id"] == "hub.a"
    assert said.texts["name"] == "Pump house"


def test_texts_of_any_length_fit_their_record() -> None:
    said = hub_service(settings(name="ü" * 60, location="水" * 100), ("10.0.0.5",))
    assert all(len(f"{key}={value}".encode()) < 256 for key, value in said.texts.items())


def test_hubs_of_the_site_are_neighbours_and_others_are_strangers() -> None:
    found = neighbourhood(b=heard("hub-b"), c=heard("hub-c", site_key=bytes(32)), d=heard("hub-d", site=""))
    assert [each.device_key for each in found.hubs()] == ["hub-b"]
    assert found.strangers == 2


def test_a_mark_belongs_to_one_hub() -> None:
    stolen = site_mark(SITE_KEY, "hub-b")
    assert not neighbourhood(c=heard("hub-c", site=stolen)).hubs()


def test_a_hub_that_is_gone_is_no_neighbour() -> None:
    found = neighbourhood(b=heard("hub-b"))
    found.hub("b", None)
    assert not found.hubs()


def test_is_not_its_own_neighbour_and_sees_a_second_hub_of_its_name() -> None:
    ours = heard("hub-a", "10.0.0.5")
    assert not neighbourhood(a=ours).hubs()
    assert neighbourhood(a=ours).twin is None
    assert neighbourhood(a=ours, other=heard("hub-a", "10.0.0.9")).twin == "10.0.0.9"


def test_of_a_neighbours_addresses_takes_the_one_in_a_network_of_ours() -> None:
    (found,) = neighbourhood(b=heard("hub-b", "172.16.0.1", "192.168.4.77")).hubs()
    assert found.address == "192.168.4.77"
    assert nearest(["172.16.0.1", "172.16.0.2"], [LAN]) == "172.16.0.1"


def test_nodes_are_told_of_hubs_that_take_nodes_and_of_no_more_than_they_keep() -> None:
    many = {f"h{number}": heard(f"hub-{number}", f"10.0.0.{number}") for number in range(10, 30)}
    found = neighbourhood(none=heard("a-first", "10.0.0.8", node_port="0"), **many)
    told = addresses_for_nodes(found.hubs())
    assert len(told) == HUBS_MOST
    assert ("10.0.0.8", 0) not in told
    encode_hubs(Hubs(120, told))


def test_what_strangers_announce_is_bounded() -> None:
    found = neighbourhood()
    for number in range(500):
        found.hub(f"h{number}", heard(f"hub-{number}", site_key=bytes(32)))
    assert found.strangers == HEARD_MOST
    found.hub("h0", None)
    found.hub("b", heard("hub-b"))
    assert len(found.hubs()) == 1


def test_nodes_of_neighbours_are_elsewhere_and_those_of_strangers_are_not() -> None:
    found = neighbourhood(b=heard("hub.b"), c=heard("hub-c", site_key=bytes(32)))
    for label in ("tank-1 at hub-b", "tank-2 at hub-c", "tank-3 at hub-a", "tank-4", " at ", "x" * 63):
        found.node(label, is_there=True)
    assert found.nodes_elsewhere() == {"tank-1"}
    found.node("tank-1 at hub-b", is_there=False)
    assert not found.nodes_elsewhere()


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "224.0.0.1", "256.1.1.1", "::1", "", "a.b.c.d", "1.2.3", "\u0661.2.3.4"]
)
def test_an_address_that_cannot_be_dialled_makes_no_neighbour(address: str) -> None:
    assert not neighbourhood(b=heard("hub-b", address)).hubs()


@given(
    st.lists(st.text(max_size=20), max_size=4),
    st.integers(),
    st.dictionaries(
        st.sampled_from(["device_id", "name", "location", "version", "api_port", "node_port", "site"]),
        st.text(max_size=80),
    ),
)
def test_whatever_is_announced_makes_no_trouble(
    addresses: list[str], port: int, texts: dict[str, str]
) -> None:
    for said in (texts, {**texts, "device_id": "hub-b", "site": site_mark(SITE_KEY, "hub-b")}):
        found = neighbourhood(b=Heard(tuple(addresses), port, said))
        told = addresses_for_nodes(found.hubs())
        encode_hubs(Hubs(1, told))
        assert found.strangers in {0, 1}
        assert found.twin is None or isinstance(found.twin, str)
        assert all(each.name.isprintable() for each in found.hubs())


@given(st.text("abc-.09", min_size=1, max_size=63), st.text("abc-.09", min_size=1, max_size=63))
def test_labels_of_nodes_fit_and_differ_between_hubs(node: str, hub: str) -> None:
    label = node_label(node, hub)
    assert len(label) <= 63
    assert "." not in label
    assert label != node_label(node, hub + "x")


def test_announces_a_node_at_its_hubs_address() -> None:
    hub = hub_service(settings(), ("10.0.0.5",))
    said = node_service(settings(), hub, "tank-1", "10.0.0.77")
    assert (said.type, said.label, said.addresses) == (NODE_TYPE, "tank-1 at hub-a", ("10.0.0.5",))
    assert said.texts["address"] == "10.0.0.77"


def test_announces_on_every_lan_unless_told_where() -> None:
    found = [
        OwnAddress("lo", "127.0.0.1", "255.0.0.0", False),
        LAN,
        WIFI,
        OwnAddress("docker0", "172.17.0.1", "255.255.0.0", True),
        OwnAddress("wg0", "10.8.0.2", "255.255.255.0", False),
    ]
    assert usable(found, None) == (LAN, WIFI)
    assert usable(found, "wlan0") == (WIFI,)
    assert usable(found, "127.0.0.1") == (found[0],)
    assert usable(found, "eth9") == ()


def test_withdraws_a_node_only_after_it_was_away_for_a_while() -> None:
    published = Published()
    assert published.changes({"tank-1": "10.0.0.7"}, 0.0) == (["tank-1"], [])
    published.announced("tank-1", "10.0.0.7")
    assert published.changes({}, 1.0) == ([], [])
    assert published.changes({"tank-1": "10.0.0.7"}, 2.0) == ([], [])
    assert published.changes({}, 3.0) == ([], [])
    assert published.changes({}, 2.9 + KEPT_S) == ([], [])
    assert published.changes({}, 3.0 + KEPT_S) == ([], ["tank-1"])
    published.withdrawn("tank-1")
    assert published.changes({}, 4.0 + KEPT_S) == ([], [])


def test_announces_a_node_anew_when_its_address_has_changed() -> None:
    published = Published({"tank-1": "10.0.0.7"})
    assert published.changes({"tank-1": "10.0.0.8"}, 0.0) == (["tank-1"], [])


def test_many_nodes_are_announced_little_by_little_and_not_all() -> None:
    published, connected = Published(), {f"tank-{number}": "10.0.0.7" for number in range(1000)}
    while found := published.changes(connected, 0.0)[0]:
        assert len(found) <= CHANGES_MOST
        for key in found:
            published.announced(key, "10.0.0.7")
    assert len(published.nodes) == NODES_MOST
