"""The list of commands: what it keeps, what it refuses to read, and ends that stay."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import OperatorNeeded
from hub.nodes.commands import ENDED_MOST, STATES, CommandEntry, CommandList, decode, encode
from hub.nodes.orders import WAITING_MOST
from shared_schema.messages import Result, ResultState

NOW_MS = 1_800_000_000_000
ENTRY = CommandEntry("tank-1", "identify", "{}", 60, NOW_MS + 60_000)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
ENTRIES = st.builds(
    CommandEntry,
    st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True),
    TEXTS,
    TEXTS,
    st.integers(1, 86_400),
    st.integers(0, 2**53),
    st.sampled_from(STATES),
    TEXTS,
)
DONE = Result(1, ResultState.EXECUTED, "done")


@given(st.dictionaries(st.integers(1, 2**30), ENTRIES, max_size=5))
def test_a_file_gives_back_what_was_written(entries: dict[int, CommandEntry]) -> None:
    assert decode(encode(CommandList(entries))).given == entries


@pytest.mark.parametrize(
    "change",
    [
        {"command_id": "1"},
        {"command_id": 2**53},
        {"device_key": "../up"},
        {"device_key": None},
        {"name": "n" * 64},
        {"arguments": "a" * 1001},
        {"wait_s": 0},
        {"wait_s": 10**9},
        {"state": "lost"},
        {"ends_at_ms": "soon"},
    ],
)
def test_what_no_message_could_carry_is_not_read(change: dict[str, object]) -> None:
    said = json.loads(encode(CommandList({1: ENTRY})))
    said["commands"][0].update(change)
    with pytest.raises(ValueError, match=r"\w"):
        decode(json.dumps(said).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "commands": [1]}'])
def test_another_file_is_not_read(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode(content)


def test_an_end_is_final() -> None:
    before = CommandList({1: ENTRY}).ended({1: DONE})
    assert before.given[1].state == "executed"
    late = before.ended({1: Result(1, ResultState.EXPIRED, "late")}).sent(frozenset({1}))
    assert late == before


def test_sent_is_noted_once_and_of_known_commands_only() -> None:
    noted = CommandList({1: ENTRY}).sent(frozenset({1, 2}))
    assert [(number, entry.state) for number, entry in noted.given.items()] == [(1, "sent")]
    assert noted.sent(frozenset({1})) == noted


def test_no_more_wait_for_a_node_than_it_remembers() -> None:
    full = CommandList(dict.fromkeys(range(1, WAITING_MOST + 1), ENTRY))
    with pytest.raises(OperatorNeeded, match="16 commands wait for it"):
        full.with_new(99, ENTRY, NOW_MS)
    assert 99 in full.with_new(99, replace(ENTRY, device_key="tank-2"), NOW_MS).given
    assert 99 in full.with_new(99, ENTRY, NOW_MS + 60_001).given, "those expired and nobody noted it yet"
    assert 99 in full.ended({1: DONE}).with_new(99, ENTRY, NOW_MS).given


def test_of_those_that_ended_the_last_are_kept_and_of_the_others_all() -> None:
    entries = {number: replace(ENTRY, state="executed") for number in range(2, ENDED_MOST + 12)}
    kept = CommandList({1: ENTRY, **entries}).ended({}).given
    assert list(kept) == [1, *range(12, ENDED_MOST + 12)]


def test_a_clock_that_was_set_back_lets_no_command_wait_longer_than_was_said() -> None:
    assert ENTRY.left_s(NOW_MS + 20_000) == 40
    assert ENTRY.left_s(NOW_MS - 3_600_000) == 60
    assert ENTRY.left_s(NOW_MS + 61_000) < 0
