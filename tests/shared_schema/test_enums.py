"""Runs in MicroPython, too: plain functions and plain asserts."""

from shared_schema import enums


def closed_sets():
    found = [getattr(enums, name) for name in dir(enums)]
    return [entry for entry in found if hasattr(entry, "NAMES")]


def members(closed_set):
    return [name for name in dir(closed_set) if name.upper() == name and name[0] != "_" and name != "NAMES"]


def test_there_are_closed_sets():
    assert enums.Quality in closed_sets()


def test_names_stand_in_the_order_of_their_values():
    for closed_set in closed_sets():
        values = [getattr(closed_set, name.upper()) for name in closed_set.NAMES]
        assert values == list(range(len(closed_set.NAMES))), closed_set


def test_every_member_has_a_name():
    for closed_set in closed_sets():
        assert sorted(members(closed_set)) == sorted([name.upper() for name in closed_set.NAMES]), closed_set
