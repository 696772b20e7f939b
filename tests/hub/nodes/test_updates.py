"""What a node says moves its update only where it can mean that; bytes go out by turns and within a rate."""

from hypothesis import given
from hypothesis import strategies as st

from hub.nodes.updates import (
    BURST_BYTES,
    CONFIRMED,
    FAILED,
    FETCHING,
    OFFERED,
    RATE_BYTES_PER_S,
    REFUSED,
    REVERTED,
    STATES,
    TRIAL,
    TROUBLE,
    UNDER_WAY,
    WAITING,
    NodeUpdate,
    Pace,
)
from shared_schema.update_messages import CHUNK_LENGTH, ChunkWanted, UpdateReport, UpdateState

VERSION = "1.5.0"


def after(state: str, said: int, version: str = VERSION, *, has_all: bool = False) -> str:
    return NodeUpdate(state).after(UpdateReport(said, version, "why"), VERSION, has_all=has_all).state


def test_goes_from_the_offer_to_the_end_as_the_node_says() -> None:
    assert after(OFFERED, UpdateState.FETCHING) == FETCHING
    assert after(FETCHING, UpdateState.TRIAL) == TRIAL
    assert after(TRIAL, UpdateState.CONFIRMED) == CONFIRMED
    assert after(TRIAL, UpdateState.REVERTED) == REVERTED
    assert after(OFFERED, UpdateState.REFUSED) == REFUSED
    assert after(FETCHING, UpdateState.FAILED) == FAILED


def test_a_trial_whose_beginning_was_not_heard_of_counts_by_its_end() -> None:
    assert after(FETCHING, UpdateState.CONFIRMED) == CONFIRMED
    assert after(FETCHING, UpdateState.REVERTED, has_all=True) == REVERTED


def test_what_remained_of_an_earlier_trial_of_the_same_release_is_not_this_one() -> None:
    assert after(OFFERED, UpdateState.REVERTED) == OFFERED
    assert after(FETCHING, UpdateState.REVERTED) == FETCHING


def test_a_refusal_that_trusts_not_even_the_version_counts() -> None:
    assert after(OFFERED, UpdateState.REFUSED, "") == REFUSED


def test_a_reason_is_cleaned_before_people_see_it() -> None:
    node = NodeUpdate(OFFERED).after(
        UpdateReport(UpdateState.REFUSED, VERSION, "a\x1b[2Jb"), VERSION, has_all=False
    )
    assert "\x1b" not in node.text


@given(
    st.sampled_from(STATES),
    st.integers(0, len(UpdateState.NAMES) - 1),
    st.sampled_from([VERSION, "1.4.0", ""]),
    st.booleans(),
)
def test_nothing_a_node_says_moves_what_is_not_under_way(
    state: str, said: int, version: str, has_all: bool
) -> None:
    now = after(state, said, version, has_all=has_all)
    if state not in UNDER_WAY:
        assert now == state
    if version == "1.4.0":
        assert now == state
    assert now == state or now in UNDER_WAY | TROUBLE | {CONFIRMED}
    assert now != WAITING or state == WAITING


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 0.004)), min_size=1, max_size=200))
def test_the_rate_holds_and_nobody_is_passed_over(wants: list[tuple[int, float]]) -> None:
    pace, now_s, sent = Pace(0.0), 0.0, 0
    waiting: list[str] = []
    for node, later_s in wants:
        now_s += later_s
        if str(node) not in waiting:
            waiting.append(str(node))
        pace.want(str(node), ChunkWanted(0, 0, CHUNK_LENGTH))
        while (turn := pace.next(now_s)) is not None:
            assert turn[0] == waiting.pop(0)
            sent += turn[1].length
    assert sent <= BURST_BYTES + now_s * RATE_BYTES_PER_S
    while waiting:
        wait_s = pace.wait_s()
        assert wait_s is not None
        now_s += wait_s + 1e-6
        turn = pace.next(now_s)
        assert turn is not None
        assert turn[0] == waiting.pop(0)
    assert pace.wait_s() is None


def test_what_was_not_used_for_an_hour_does_not_go_out_at_once() -> None:
    pace = Pace(0.0)
    for node in range(20):
        pace.want(str(node), ChunkWanted(0, 0, CHUNK_LENGTH))
    turns = 0
    while pace.next(3600.0) is not None:
        turns += 1
    assert turns == BURST_BYTES // CHUNK_LENGTH


def test_a_node_that_asks_again_has_one_chunk_on_its_way() -> None:
    pace = Pace(0.0)
    pace.want("a", ChunkWanted(0, 0, 1024))
    pace.want("a", ChunkWanted(0, 512, 100))
    turn = pace.next(0.0)
    assert turn is not None
    assert (turn[0], turn[1].offset) == ("a", 512)
    assert pace.next(0.0) is None
