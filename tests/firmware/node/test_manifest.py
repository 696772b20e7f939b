"""What a manifest may say, and which node takes it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.node.manifest import FILES, Manifest, Refused, check, parse
from shared_schema.digest import Hmac
from shared_schema.update_messages import MANIFEST_LENGTH

KEY = Hmac(bytes(range(32)))
DIGEST = "0123456789abcdef" * 4
GOOD: dict[str, Any] = {
    "version": "1.5.0",
    "counter": 15,
    "min_micropython": "1.25",
    "board": "any",
    "files": [["firmware/main.mpy", 1200, DIGEST]],
}


def parsed(**changes: Any) -> Manifest:
    data = json.dumps(GOOD | changes).encode()
    return parse(data, KEY.of(data), KEY)


def test_a_manifest_is_read() -> None:
    manifest = parsed()
    assert (manifest.version, manifest.counter, manifest.oldest_micropython) == ("1.5.0", 15, (1, 25))
    assert not manifest.allows_older
    [file] = manifest.files
    assert (file.path, file.size, file.digest.hex()) == ("firmware/main.mpy", 1200, DIGEST)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": ""},
        {"version": "1.5.0\n"},
        {"version": "1" * 33},
        {"version": 15},
        {"counter": 0},
        {"counter": 2**30},
        {"counter": "15"},
        {"counter": True},
        {"counter": 1.5},
        {"min_micropython": 1},
        {"min_micropython": "1.x"},
        {"files": []},
        {"files": {}},
        {"files": [["main.py", 1, DIGEST]] * 2},
        {"files": [[f"m{number}.py", 1, ""] for number in range(FILES + 1)]},
        {"files": [[f"m{number}.py", 65536, DIGEST] for number in range(5)]},
        {"files": [["main.py", 0, DIGEST]]},
        {"files": [["main.py", 300_001, DIGEST]]},
        {"files": [["main.py", 1, DIGEST[1:]]]},
        {"files": [["main.py", 1, "g" * 64]]},
        {"files": [["main.py", 1]]},
        {"files": [None]},
    ],
)
def test_what_is_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        parsed(**changes)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/main.py",
        "../main.py",
        "a/../b.py",
        "a//b.py",
        "./a.py",
        "a/.b.py",
        "manifest.json",
        "offer",
        "A.py",
        ".py",
    ],
)
def test_a_path_stays_in_its_slot(path: str) -> None:
    with pytest.raises(Refused, match="no path within a slot"):
        parsed(files=[[path, 1, DIGEST]])


def test_what_is_missing_is_refused() -> None:
    for name in set(GOOD) - {"board"}:
        with pytest.raises(Refused):
            parsed(**{name: None})


@given(st.binary(max_size=300))
def test_bytes_of_anyone_are_refused(noise: bytes) -> None:
    with pytest.raises(Refused, match="not signed"):
        parse(noise, bytes(32), KEY)
    with pytest.raises(Refused):
        parse(noise, KEY.of(noise), KEY)


def test_one_flipped_bit_breaks_the_signature() -> None:
    data = json.dumps(GOOD).encode()
    mac = KEY.of(data)
    with pytest.raises(Refused, match="not signed"):
        parse(data.replace(b"15", b"14"), mac, KEY)


def test_a_manifest_that_is_too_long_is_not_even_hashed() -> None:
    with pytest.raises(Refused, match="bytes; 3800 are the most"):
        parse(bytes(MANIFEST_LENGTH + 1), bytes(32), KEY)


def test_a_newer_release_for_this_node_is_taken() -> None:
    check(parsed(), 14, "rp2", (1, 25, 0))
    check(parsed(board="rp2", min_micropython="1.9"), 14, "rp2", (1, 25, 0))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"counter": 13}, "1.5.0 is older than what runs"),
        ({"board": "esp32"}, "1.5.0 is for esp32, this is rp2"),
        ({"board": None}, "1.5.0 is for None, this is rp2"),
        ({"min_micropython": "1.26"}, "1.5.0 needs MicroPython 1.26 or newer"),
        ({"counter": 13, "allow_older": 1}, "older"),
    ],
)
def test_another_release_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        check(parsed(**changes), 14, "rp2", (1, 25, 0))


def test_an_older_release_is_taken_when_the_hub_allows_it() -> None:
    check(parsed(counter=13, allow_older=True), 14, "rp2", (1, 25, 0))
