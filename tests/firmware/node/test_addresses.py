"""Runs in MicroPython, too: plain functions and plain asserts."""

from firmware.node.addresses import EARLIER_MOST, TRIES, Addresses

A, B, C, D = ("10.0.0.1", 8266), ("10.0.0.2", 8266), ("10.0.0.3", 8266), ("10.0.0.4", 8266)
RETURN_S = 100
LONGEST_MS = 2 * RETURN_S * 1000


def tried(addresses, count):
    found = []
    for _ in range(count):
        if addresses.is_search_due:
            addresses.found(())
        found.append(addresses.next())
        addresses.failed()
    return found


def connected(addresses, address):
    addresses.found([address])
    while addresses.next() != address:
        addresses.failed()
    addresses.answered()


def at_home_with(home, away):
    """Return a node that ranks home first and talks to it."""
    number = 0
    while True:
        addresses = Addresses("node-%d" % number, [])
        connected(addresses, away)
        addresses.told([home], RETURN_S, 0)
        if addresses.is_return_due(LONGEST_MS):
            addresses.go_home()
            addresses.answered()
            addresses.served(home)
            return addresses
        number += 1


def test_tries_the_last_good_hub_first_then_searches():
    addresses = Addresses("tank-1", [C], [A, B])
    assert tried(addresses, TRIES) == [A] * TRIES
    assert addresses.is_search_due
    addresses.found([D])
    assert tried(addresses, 4) == [D, C, A, B]
    assert addresses.is_search_due


def test_searches_at_once_when_it_knows_no_hub_by_experience():
    addresses = Addresses("tank-1", [C])
    assert addresses.is_search_due
    addresses.found([B])
    assert tried(addresses, 2) == [B, C]


def test_has_nothing_to_try_when_nothing_is_found():
    addresses = Addresses("tank-1", [])
    addresses.found(())
    assert addresses.next() is None
    assert addresses.is_search_due


def test_a_hub_that_opened_a_session_is_tried_first_from_then_on():
    addresses = Addresses("tank-1", [A, B])
    connected(addresses, D)
    addresses.served(D)
    assert tried(addresses, TRIES) == [D] * TRIES
    assert addresses.earlier[0] == D


def test_nodes_spread_over_the_hubs_they_find():
    firsts = []
    for number in range(300):
        addresses = Addresses("node-%d" % number, [])
        addresses.found([A, B, C])
        firsts.append(addresses.next())
    for hub in (A, B, C):
        assert 70 < firsts.count(hub) < 130, firsts.count(hub)


def test_the_order_is_the_nodes_own_and_always_the_same():
    for number in range(20):
        one, other = Addresses("node-%d" % number, []), Addresses("node-%d" % number, [])
        one.found([A, B, C])
        other.found([C, A, B])
        assert tried(one, 3) == tried(other, 3)


def test_hubs_it_was_told_of_are_tried_without_a_search_that_finds_them():
    addresses = Addresses("tank-1", [])
    connected(addresses, A)
    addresses.told([B, C], RETURN_S, 0)
    addresses.served(A)
    assert tried(addresses, TRIES) == [A] * TRIES
    addresses.found(())
    assert sorted(tried(addresses, 3)) == [A, B, C]


def test_what_is_worth_knowing_at_the_next_start_is_bounded_and_begins_with_the_last():
    addresses = Addresses("tank-1", [])
    connected(addresses, A)
    for number in range(20):
        addresses.told([("10.0.1.%d" % (number + 1), 8266), B], RETURN_S, 0)
    assert len(addresses.earlier) == EARLIER_MOST
    assert addresses.earlier[0] == A
    assert B in addresses.earlier
    assert tried(Addresses("tank-1", [], addresses.earlier), 1) == [A]


def test_being_told_the_same_again_changes_nothing_to_write_down():
    addresses = Addresses("tank-1", [])
    connected(addresses, A)
    addresses.told([B], RETURN_S, 0)
    before = addresses.earlier
    addresses.told([], RETURN_S, 0)
    addresses.told([B], RETURN_S, 0)
    assert addresses.earlier == before


def test_goes_back_to_its_own_hub_when_that_has_been_there_for_long_enough():
    addresses = at_home_with(A, B)
    addresses.told([B], RETURN_S, 0)
    assert not addresses.is_return_due(10 * LONGEST_MS)
    tried(addresses, TRIES)
    connected(addresses, B)
    addresses.told([], RETURN_S, 0)
    assert not addresses.is_return_due(10 * LONGEST_MS)
    addresses.told([A], RETURN_S, 5_000)
    assert not addresses.is_return_due(5_000 + RETURN_S * 1000 - 1)
    addresses.told([A, C], RETURN_S, 9_000)  # a third one changes nothing
    assert addresses.is_return_due(5_000 + LONGEST_MS)
    addresses.go_home()
    assert addresses.next() in {A, C}


def test_does_not_go_back_when_its_own_hub_is_gone_again():
    addresses = at_home_with(A, B)
    tried(addresses, TRIES)
    connected(addresses, B)
    addresses.told([A], RETURN_S, 0)
    addresses.told([], RETURN_S, 1)
    assert not addresses.is_return_due(10 * LONGEST_MS)


def test_returns_and_waits_twice_as_long_when_its_own_hub_does_not_answer():
    addresses = at_home_with(A, B)
    tried(addresses, TRIES)
    connected(addresses, B)
    for failures in range(3):
        addresses.told([A], RETURN_S, 0)
        assert not addresses.is_return_due((RETURN_S * 1000 << failures) - 1)
        assert addresses.is_return_due(LONGEST_MS << failures)
        addresses.go_home()
        addresses.served(B)
        assert tried(addresses, 1) == [A]
        assert addresses.next() == B
        addresses.answered()


def test_a_hub_that_stores_nothing_is_tried_after_all_others():
    addresses = at_home_with(A, B)
    addresses.told([B], RETURN_S, 0)
    addresses.got_stuck(A)
    assert addresses.is_search_due
    addresses.found([A, B, C])
    order = tried(addresses, 3)
    assert order[2] == A
    assert sorted(order) == [A, B, C]


def test_waits_longer_for_its_own_hub_when_that_stored_nothing():
    addresses = at_home_with(A, B)
    tried(addresses, TRIES)
    connected(addresses, B)
    addresses.told([A], RETURN_S, 0)
    addresses.go_home()
    addresses.served(B)
    addresses.answered()
    addresses.got_stuck(A)
    addresses.found([B])
    addresses.answered()
    addresses.told([A], RETURN_S, 0)
    assert not addresses.is_return_due(LONGEST_MS - 1)
    assert addresses.is_return_due(2 * LONGEST_MS)
