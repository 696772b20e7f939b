"""What an order does to the node."""

from firmware.node.acts import Acts
from firmware.node.orders import carry_out
from shared_schema.messages import Command, ResultState


class FakeBoard:
    def __init__(self, led_pin):
        self.led_pin = led_pin
        self.blinked = []

    def blink(self, pin):
        self.blinked.append(pin)


class FakeNode:
    """A node as far as identify looks at it."""

    def __init__(self, led_pin, outputs):
        self.board = FakeBoard(led_pin)
        self.configuration = self.settings = self
        self.outputs = outputs


def identified(led_pin, outputs):
    node = FakeNode(led_pin, outputs)
    state, _ = carry_out(Acts(node).by_name(), Command(1, "identify", "", 60))
    return state, node.board.blinked


def test_blinks_with_the_light_of_the_board():
    assert identified(2, {"pump": 5}) == (ResultState.EXECUTED, [2])


def test_blinks_with_what_the_configuration_calls_so():
    assert identified(2, {"identify": 7}) == (ResultState.EXECUTED, [7])
    assert identified(None, {"identify": 7}) == (ResultState.EXECUTED, [7])


def test_says_no_when_no_light_is_known():
    assert identified(None, {}) == (ResultState.FAILED, [])
