"""docs/NODE_LINK.md says what the code does."""

import re
from pathlib import Path
from typing import Any

from shared_schema import batches, frames, messages, packing
from shared_schema.frames import TO_HUB, TO_NODE, TYPES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "NODE_LINK.md").read_text()
DIRECTIONS = {"node → hub": TO_HUB, "hub → node": TO_NODE, "both": TO_HUB | TO_NODE}
YEARS_MS = {"2020": packing.EARLIEST_MS, "2100": packing.LATEST_MS}
CLOSED_SETS = {
    "REFUSE": messages.RefusalCode,
    "CONFIG_STATE": messages.ConfigState,
    "RESULT": messages.ResultState,
    "UPDATE_STATE": messages.UpdateState,
    "EVENT": messages.EventLevel,
}


def cells(pattern: str) -> list[Any]:
    return re.findall(pattern, PAGE, re.MULTILINE)


def test_the_table_of_types_is_that_of_the_code() -> None:
    rows = cells(r"^\| (\d+) \| (\w+) \| ([^|]+) \|")
    assert [(int(number), name, DIRECTIONS[way]) for number, name, way in rows] == list(TYPES)


def test_closed_sets_are_those_of_the_code() -> None:
    payloads = dict(cells(r"^\| \d+ \| (\w+) \| [^|]+ \| (.+) \|$"))
    for name, closed_set in CLOSED_SETS.items():
        listed = re.findall(r"(\d+) (\w+)[,)]", payloads[name].split("(", 1)[1])
        assert [word for _, word in listed] == list(closed_set.NAMES)
        assert [int(number) for number, _ in listed] == [
            getattr(closed_set, word.upper()) for _, word in listed
        ]


def test_bounds_are_those_of_the_code() -> None:
    rows = cells(r"^\| `(\w+)` \| ([^|]+) \|")
    assert len(rows) > 10
    for name, bound in rows:
        module = next(one for one in (frames, batches, packing, messages) if hasattr(one, name))
        value = YEARS_MS.get(bound) or (2**53 - 1 if bound == "2^53 - 1" else int(bound))
        assert getattr(module, name) == value, name


def test_the_longest_hello_is_as_long_as_the_page_says() -> None:
    longest = messages.Hello(bytes(16), "k" * 63, 1, 1, 1, 1, "v" * 32, "b" * 32, 1)
    assert f"the longest HELLO takes {len(messages.encode_hello(longest))}" in PAGE
