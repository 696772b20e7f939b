"""What node.json may say, and which addresses a node tries in which order."""

import json
from pathlib import Path

import pytest

from firmware.node.addresses import Addresses
from firmware.node.identity import load, numeric_address

GOOD = {
    "device_key": "tank-3",
    "generation": 2,
    "key": "ab" * 32,
    "hubs": ["10.0.0.5", "10.0.0.6:9000", "hub.lan"],
}


def written(folder: Path, said: object) -> str:
    (folder / "node.json").write_text(json.dumps(said), encoding="utf-8")
    return f"{folder}/"


def test_reads_who_the_node_is_and_passes_over_hubs_with_names(tmp_path: Path) -> None:
    identity = load(written(tmp_path, {**GOOD, "wifi": {"ssid": "farm", "password": "secret"}}))
    assert (identity.device_key, identity.generation, identity.key) == ("tank-3", 2, b"\xab" * 32)
    assert identity.wifi == ("farm", "secret")
    assert identity.hubs == [("10.0.0.5", 8266), ("10.0.0.6", 9000)]


@pytest.mark.parametrize(
    "said",
    [
        [],
        {},
        {**GOOD, "key": "ab"},
        {**GOOD, "key": "xy" * 32},
        {**GOOD, "wifi": {"pass": 1}},
        {**GOOD, "hubs": 3},
    ],
)
def test_says_what_is_wrong_with_it(tmp_path: Path, said: object) -> None:
    with pytest.raises(ValueError, match=r"node\.json: .*flash the node again|node\.json: the key"):
        load(written(tmp_path, said))


@pytest.mark.parametrize("text", ["hub", "1.2.3", "1.2.3.256", "1.2.3.x", "", "1.2.3.4.5"])
def test_only_numbers_are_addresses(text: str) -> None:
    assert numeric_address(text) is None


def test_tries_who_answered_last_then_those_found_then_those_known() -> None:
    addresses = Addresses([("a", 1), ("b", 1)])
    assert addresses.next() == ("a", 1)
    addresses.failed()
    assert addresses.next() == ("b", 1)
    addresses.failed()
    assert addresses.is_round_over
    addresses.found([("c", 1)])
    assert addresses.next() == ("c", 1) or not addresses.is_round_over
    addresses.answered(("b", 1))
    tried = []
    for _ in range(3):
        tried.append(addresses.next())
        addresses.failed()
    assert tried == [("b", 1), ("c", 1), ("a", 1)]


def test_without_any_address_there_is_none() -> None:
    addresses = Addresses([])
    assert addresses.is_round_over
    assert addresses.next() is None
