"""Numbers of one node: nothing twice, nothing skipped, whatever is sent again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.nodes.stored import RANGES_MOST, Numbers
from shared_schema.link import LinkError


def greeted(stored: int = 0, next_seq: int = 1000) -> Numbers:
    numbers = Numbers(7, stored)
    numbers.greet(next_seq)
    return numbers


def test_counts_repeats_at_the_beginning_of_a_batch() -> None:
    numbers = greeted(stored=10)
    assert numbers.take(6, 10) == 5
    assert numbers.take(6, 10) == 10
    assert (numbers.accepted, numbers.stored) == (15, 10)


def test_says_stored_only_of_what_was_settled() -> None:
    numbers = greeted()
    numbers.take(1, 5)
    accepted = numbers.accepted
    numbers.take(6, 5)
    numbers.settle(accepted)
    assert numbers.stored == 5


def test_begins_where_the_node_begins_but_not_beyond_what_it_has() -> None:
    assert greeted().take(400, 10) == 0
    with pytest.raises(LinkError):
        greeted(next_seq=100).take(400, 10)


def test_refuses_a_hole_once_and_lets_it_pass_in_the_next_session() -> None:
    numbers = greeted()
    numbers.take(1, 5)
    with pytest.raises(LinkError, match="rows 6 to 9"):
        numbers.take(10, 5)
    assert numbers.accepted == 5
    numbers.greet(1000)
    numbers.take(1, 5)
    assert numbers.take(10, 5) == 0
    assert numbers.skipped == (6, 9)


def test_a_loss_ahead_of_rows_does_not_make_them_repeats() -> None:
    numbers = greeted(stored=100)
    assert numbers.lose(201, 210, has_rows_between=False) == (201, 210)
    assert numbers.take(151, 50) == 0
    assert numbers.accepted == 210


def test_a_loss_at_the_front_is_accepted_up_to_its_end() -> None:
    numbers = greeted(stored=100)
    assert numbers.lose(90, 120, has_rows_between=False) == (101, 120)
    assert numbers.lose(90, 120, has_rows_between=False) is None
    assert numbers.accepted == 120


def test_takes_rows_between_what_thinning_took() -> None:
    numbers = greeted()
    numbers.lose(1, 100, has_rows_between=True)
    for seq in (1, 30, 60):
        assert numbers.take(seq, 1) == 0
    assert numbers.take(101, 5) == 0
    assert numbers.accepted == 105


def test_refuses_more_losses_than_any_ring_has() -> None:
    numbers = greeted()
    for number in range(RANGES_MOST):
        numbers.lose(10 + 3 * number, 11 + 3 * number, has_rows_between=False)
    with pytest.raises(LinkError):
        numbers.lose(5, 6, has_rows_between=False)


@given(st.data())
def test_every_row_is_new_exactly_once_however_often_it_is_sent(data: st.DataObject) -> None:
    """Against a list: sessions that begin anywhere at or before the next number, with losses for rows."""
    numbers = Numbers(7, 0)
    lost = data.draw(st.sets(st.integers(1, 60), max_size=20))
    new: list[int] = []
    told: set[int] = set()
    for _ in range(data.draw(st.integers(1, 5))):
        numbers.greet(61)
        seq = data.draw(st.integers(1, numbers.stored + 1))
        for _ in range(data.draw(st.integers(0, 12))):
            if seq > 60:
                break
            if seq in lost:
                news = numbers.lose(seq, seq, has_rows_between=data.draw(st.booleans()))
                told |= set(range(news[0], news[1] + 1)) if news else set()
                seq += 1
                continue
            end = next((each for each in range(seq, 61) if each in lost), 61)
            rows = data.draw(st.integers(1, end - seq))
            repeats = numbers.take(seq, rows)
            new += range(seq + repeats, seq + rows)
            seq += rows
        if data.draw(st.booleans()):
            numbers.settle(numbers.accepted)
    assert len(new) == len(set(new))
    assert set(new) | told >= set(range(1, numbers.accepted + 1))
    assert not set(new) & lost
