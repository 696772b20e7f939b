"""What node.json may say."""

import json
from pathlib import Path

import pytest

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
