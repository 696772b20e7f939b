"""Orders: each carried out once, and every answer says what happened."""

from firmware.node.commands import REMEMBERED, CommandBook
from firmware.node.orders import CannotDo, carry_out
from shared_schema.messages import Command, Result, ResultState


def book_of(log, fails=None, kept=None):
    def act(name):
        def carry_out(**arguments):
            if fails is not None:
                raise fails
            log.append((name, arguments))
            return "did " + name

        return carry_out

    names = ("identify", "set_output", "set_interval", "reboot")
    acts = {name: act(name) for name in names}
    return CommandBook(lambda command: carry_out(acts, command), [].append if kept is None else kept.append)


def obey(book, number, name, arguments="", expires_in_s=60):
    result = book.obey(Command(number, name, arguments, expires_in_s))
    assert result.command_id == number
    return result.state, result.text


def test_carries_out_and_answers():
    log = []
    book = book_of(log)
    assert obey(book, 1, "set_output", '{"name": "valve", "value": 1}') == (
        ResultState.EXECUTED,
        "did set_output",
    )
    assert log == [("set_output", {"name": "valve", "value": 1})]


def test_an_order_that_comes_again_is_answered_and_not_carried_out():
    log = []
    book = book_of(log)
    for _ in range(3):
        assert obey(book, 7, "identify")[0] == ResultState.EXECUTED
    assert len(log) == 1


def test_so_many_are_remembered_and_the_oldest_is_forgotten():
    log = []
    book = book_of(log)
    for number in range(REMEMBERED + 1):
        obey(book, number, "identify")
    obey(book, 1, "identify")
    assert len(log) == REMEMBERED + 1
    obey(book, 0, "identify")
    assert len(log) == REMEMBERED + 2


def test_what_was_answered_before_the_restart_is_not_done_again():
    log = []
    book = book_of(log)
    book.remember(Result(9, ResultState.EXECUTED, "restarting"))
    assert obey(book, 9, "identify") == (ResultState.EXECUTED, "restarting")
    assert log == []


def test_only_what_ends_the_boot_is_kept_beyond_it():
    kept = []
    book = book_of([], kept=kept)
    obey(book, 1, "identify")
    assert kept == []
    obey(book, 2, "reboot")
    assert [[result.command_id for result in results] for results in kept] == [[1, 2]]


def test_a_node_that_sleeps_keeps_what_every_order_came_to():
    kept = []
    book = book_of([], kept=kept)
    book.keeps_all = True
    obey(book, 1, "identify")
    obey(book, 2, "set_output", '{"value": 1}')
    obey(book, 1, "identify")
    assert [(result.command_id, result.state) for result in kept[-1]] == [
        (1, ResultState.EXECUTED),
        (2, ResultState.FAILED),
    ]
    assert len(kept) == 2


def test_an_unknown_and_a_late_order_say_so():
    book = book_of([])
    assert obey(book, 1, "dance") == (
        ResultState.UNKNOWN,
        "there are identify, reboot, set_interval, set_output",
    )
    assert obey(book, 2, "identify", "", 0) == (ResultState.EXPIRED, "came too late")


def test_wrong_arguments_are_named():
    book = book_of([])
    for number, (name, arguments, reason) in enumerate(
        (
            ("identify", "[]", "not a JSON object"),
            ("identify", "x", "not a JSON object"),
            ("identify", '{"now": 1}', "identify takes no now"),
            ("set_output", '{"value": 1}', "set_output: name is missing"),
            ("set_output", '{"name": "valve"}', "value is not a whole number from 0 to 1"),
            ("set_output", '{"name": "valve", "value": true}', "value is not a whole number"),
            ("set_interval", '{"kind": "tank", "interval_s": 0}', "interval_s is not a whole number"),
        )
    ):
        state, text = obey(book, number, name, arguments)
        assert state == ResultState.FAILED
        assert reason in text


def test_what_cannot_be_done_fails_and_is_remembered_as_that():
    for error, reason in ((CannotDo("no such pin"), "no such pin"), (OSError(19), "the hardware failed")):
        state, text = obey(book_of([], error), 1, "identify")
        assert state == ResultState.FAILED
        assert reason in text
