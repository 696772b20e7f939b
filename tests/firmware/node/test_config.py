"""What a configuration may say, and how it is refused."""

import json

from firmware.node.config import Refused, parse

GOOD = {
    "kinds": {
        "tank": {
            "interval_s": 5,
            "window_s": 60,
            "sensors": [{"driver": "a02yyuw", "uart": 1}, {"driver": "ds18b20", "pin": 4}],
        },
        "flow": {"sensors": [{"driver": "pulse", "pin": 6}]},
    },
    "flush_s": 10,
    "outputs": {"valve": 5},
}

BAD = (
    ("", "is not JSON"),
    ("[1]", "the configuration: is not an object"),
    ('{"kind": {}}', "kind: is not known; there are kinds"),
    ('{"kinds": []}', "kinds: is not an object"),
    ('{"kinds": {"tanks": {}}}', "kinds.tanks: is not known; there are tank, flow"),
    ('{"kinds": {"heartbeat": {}}}', "kinds.heartbeat: is not known"),
    ('{"kinds": {"tank": {"interval_s": 5}}}', "kinds.tank.sensors: is not a list"),
    ('{"kinds": {"tank": {"sensors": [5]}}}', "an entry is not an object"),
    ('{"kinds": {"tank": {"sensors": [{"driver": "../x"}]}}}', "is not a driver's name"),
    ('{"kinds": {"tank": {"sensors": [{}]}}}', "driver None is not a driver's name"),
    (
        '{"kinds": {"tank": {"sensors": [{"driver": "a"}], "interval_s": 0}}}',
        "kinds.tank.interval_s: 0 is not",
    ),
    ('{"kinds": {"tank": {"sensors": [{"driver": "a"}], "interval_s": true}}}', "is not a whole number"),
    ('{"kinds": {"tank": {"sensors": [{"driver": "a"}], "window_s": 1.5}}}', "is not a whole number"),
    ('{"flush_s": 4000}', "flush_s: 4000 is not a whole number from 1 to 3600"),
    ('{"outputs": {"valve": "5"}}', "outputs.valve: '5' is not"),
    ('{"outputs": 3}', "outputs: is not an object"),
    ('{"ring": "keep_all"}', "ring: 'keep_all' is none of drop_oldest, thin"),
    ('{"power": "sun"}', "power: 'sun' is none of mains, battery"),
    ('{"battery": {"dial_s": 60}}', "battery and broadcast are for"),
    ('{"broadcast": true}', "battery and broadcast are for"),
    ('{"power": "battery", "battery": {"sleep_s": 5}}', "battery.sleep_s: is not known"),
    ('{"power": "battery", "battery": {"listen_ms": 10}}', "battery.listen_ms: 10 is not"),
    ('{"power": "battery", "broadcast": true}', "broadcast: 0 kinds"),
    ('{"power": "battery", "broadcast": 1}', "broadcast: 1 is not true or false"),
    (json.dumps(dict(GOOD, power="battery")), "kinds.tank.window_s: a node on a battery"),
    (json.dumps({"kinds": {"tank": {"sensors": [{"driver": "a"}] * 9}}}), "more than 8 sensors"),
)


def test_reads_what_is_measured_in_the_order_of_the_kinds():
    settings = parse(json.dumps(GOOD))
    assert [rhythm.kind.name for rhythm in settings.rhythms] == ["tank", "flow"]
    tank, flow = settings.rhythms
    assert (tank.interval_s, tank.window_s) == (5, 60)
    assert (flow.interval_s, flow.window_s) == (60, 0)
    assert [(sensor.driver, sensor.options) for sensor in tank.sensors] == [
        ("a02yyuw", {"uart": 1}),
        ("ds18b20", {"pin": 4}),
    ]
    assert (settings.flush_s, settings.health_s, settings.outputs) == (10, 60, {"valve": 5})


def test_a_node_on_mains_drops_its_oldest_rows_unless_told_to_thin_them():
    assert parse(json.dumps(GOOD)).ring_policy == "drop_oldest"
    settings = parse('{"ring": "thin"}')
    assert (settings.ring_policy, settings.battery, settings.is_broadcasting) == ("thin", None, False)


def test_a_node_on_a_battery_wakes_in_its_shortest_rhythm():
    sensors = [{"driver": "a"}]
    kinds = {"tank": {"interval_s": 300, "sensors": sensors}, "flow": {"sensors": sensors}}
    document = {"power": "battery", "battery": {"dial_s": 900, "low_mv": 3600}, "kinds": kinds}
    assert parse(json.dumps(document)).battery == {"dial_s": 900, "low_mv": 3600, "sample_s": 60}
    assert parse('{"power": "battery"}').battery == {}


def test_a_node_on_a_battery_may_broadcast_one_kind():
    kinds = {"tank": {"sensors": [{"driver": "a"}]}}
    assert parse(json.dumps({"power": "battery", "broadcast": True, "kinds": kinds})).is_broadcasting


def test_a_node_that_was_told_nothing_measures_nothing():
    assert parse("{}").rhythms == []


def refusal_of(document):
    try:
        parse(document)
    except Refused as error:
        return str(error)
    return "taken"


def test_refuses_what_cannot_be_and_says_where():
    for document, reason in BAD:
        assert reason in refusal_of(document), (document, refusal_of(document))
