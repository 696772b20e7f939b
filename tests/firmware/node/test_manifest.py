"""What a manifest may say, and which node takes it."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.node.manifest import CONTENTS, FILES, Manifest, Refused, check, parse, parse_contents
from shared_schema.digest import Hmac
from shared_schema.update_messages import MANIFEST_LENGTH

KEY = Hmac(bytes(range(32)))
DIGEST = "0123456789abcdef" * 4
GOOD: dict[str, Any] = {
    "version": "1.5.0",
    "counter": 15,
    "min_micropython": "1.25",
    "board": "any",
    "contents": [3000, DIGEST],
}


def parsed(**changes: Any) -> Manifest:
    data = json.dumps(GOOD | changes).encode()
    return parse(data, KEY.of(data), KEY)


def test_a_manifest_is_read() -> None:
    manifest = parsed()
    assert (manifest.version, manifest.counter, manifest.oldest_micropython) == ("1.5.0", 15, (1, 25))
    assert not manifest.allows_older
    contents = manifest.contents
    assert (contents.path, contents.size, contents.digest.hex()) == (CONTENTS, 3000, DIGEST)


def test_contents_are_read() -> None:
    files = parse_contents(f"{DIGEST} 1200 firmware/main.mpy\n{DIGEST[::-1]} 65536 firmware/a.py\n".encode())
    assert [(file.path, file.size, file.digest.hex()) for file in files] == [
        ("firmware/main.mpy", 1200, DIGEST),
        ("firmware/a.py", 65536, DIGEST[::-1]),
    ]


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
        {"contents": []},
        {"contents": {}},
        {"contents": [0, DIGEST]},
        {"contents": [12_001, DIGEST]},
        {"contents": [1, DIGEST[1:]]},
        {"contents": [1, "g" * 64]},
        {"contents": [1, 5]},
    ],
)
def test_what_is_out_of_bounds_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        parsed(**changes)


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "\n",
        f"{DIGEST} 1 main.py",
        f"{DIGEST} 1 main.py\r\n",
        f"{DIGEST} 1  main.py\n",
        f"{DIGEST} 0 main.py\n",
        f"{DIGEST} 65537 main.py\n",
        f"{DIGEST} -1 main.py\n",
        f"{DIGEST} {'9' * 5000} main.py\n",
        f"{DIGEST[1:]} 1 main.py\n",
        f"{DIGEST.upper()} 1 main.py\n",
        f"{DIGEST} 1 main.py\n" * 2,
        "".join(f"{DIGEST} 1 m{number}.py\n" for number in range(FILES + 1)),
        "".join(f"{DIGEST} 65536 m{number}.py\n" for number in range(5)),
        f"{DIGEST} 1 m\u0130.py\n",
    ],
)
def test_contents_out_of_bounds_are_refused(contents: str) -> None:
    with pytest.raises(Refused):
        parse_contents(contents.encode())


@pytest.mark.parametrize(
    "path", ["/main.py", "../main.py", "a/../b.py", "a//b.py", "./a.py", "a/.b.py", ".py", "a"]
)
@pytest.mark.parametrize("prefix", ["", "firmware/"])
def test_a_path_stays_in_its_slot(prefix: str, path: str) -> None:
    with pytest.raises(Refused, match="path within a slot"):
        parse_contents(f"{DIGEST} 1 {prefix}{path}\n".encode())


@pytest.mark.parametrize(
    "path", ["manifest.json", "offer", "contents", "slot.0", "main.PY", "a" * 62 + ".py"]
)
def test_a_path_is_a_module_and_nothing_of_the_update(path: str) -> None:
    with pytest.raises(Refused, match="path within a slot"):
        parse_contents(f"{DIGEST} 1 {path}\n".encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_contents_or_refused(noise: bytes) -> None:
    with contextlib.suppress(Refused):
        parse_contents(noise)


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
