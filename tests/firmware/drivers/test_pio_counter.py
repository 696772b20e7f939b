"""The PIO program is run here step by step; needs CPython, whose functions let their globals be replaced.

    import pytest: this file is not for MicroPython

Source: RP2040 Datasheet, 3.4 (PIO instruction set): JMP X-- tests before it decrements, WAIT stalls, delays
follow an instruction that has ended its stall.
"""

import pytest

from firmware.drivers.pulse_counters import PIO_STEPS_AFTER_EDGE, PioCounter

WORD = 0xFFFF_FFFF


class Instruction:
    def __init__(self, name: str, *operands: object) -> None:
        self.name = name
        self.operands = operands
        self.delay = 0

    def __getitem__(self, delay: int) -> "Instruction":
        assert 0 <= delay <= 31
        self.delay = delay
        return self


def assembled(function):
    """Return the instructions and labels that a function of PIO words stands for, as rp2.asm_pio does."""
    program: list[Instruction] = []
    labels: dict[str, int] = {}

    def word(name):
        def emit(*operands):
            program.append(Instruction(name, *operands))
            return program[-1]

        return emit

    words = {"wait": word("wait"), "jmp": word("jmp"), "pin": "pin", "x_dec": "x_dec"}
    words["label"] = lambda name: labels.__setitem__(name, len(program))
    own = dict(function.__globals__)
    function.__globals__.clear()
    function.__globals__.update(words)
    try:
        function()
    finally:
        function.__globals__.clear()
        function.__globals__.update(own)
    return program, labels


class FakeStateMachine:
    def __init__(self, number, program, freq, in_base, jmp_pin) -> None:
        self.program, self.labels = program
        self.freq = freq
        self.pin = in_base
        self.is_active = False
        self._x = self._isr = self._at = self._idle_steps = 0
        self._fifo: list[int] = []

    def active(self, value: int) -> None:
        self.is_active = bool(value)

    def exec(self, text: str) -> None:
        if text == "set(x, 0)":
            self._x = 0
        elif text == "mov(isr, x)":
            self._isr = self._x
        elif text == "push()":
            self._fifo.append(self._isr)
        else:
            pytest.fail(text)

    def get(self) -> int:
        return self._fifo.pop(0)

    def run(self, levels) -> None:
        """One step for each level of the pin."""
        assert self.is_active
        for level in levels:
            if self._idle_steps:
                self._idle_steps -= 1
                continue
            instruction = self.program[self._at]
            self._at = self._next(instruction, level)

    def _next(self, instruction: Instruction, level: int) -> int:
        if instruction.name == "wait":
            if level != instruction.operands[0]:
                return self._at
            self._idle_steps = instruction.delay
        elif self._jumps(instruction, level):
            return self.labels[instruction.operands[-1]]
        return (self._at + 1) % len(self.program)

    def _jumps(self, instruction: Instruction, level: int) -> bool:
        condition = instruction.operands[0]
        if condition == "pin":
            return level == 1
        if condition == "x_dec":
            was, self._x = self._x, (self._x - 1) & WORD
            return was != 0
        return True


class FakeRp2:
    StateMachine = FakeStateMachine

    def asm_pio(self):
        return assembled


def counter(settle_us: int = 32) -> tuple[PioCounter, FakeStateMachine]:
    made = PioCounter(FakeRp2(), 0, "pin", settle_us)
    return made, made._machine


def pulses(count: int, length: int = 100) -> list[int]:
    return ([0] * length + [1] * length) * count


def test_counts_each_rise_once() -> None:
    made, machine = counter()
    machine.run(pulses(1000))
    assert made.value() == 1000


def test_can_be_read_while_it_counts() -> None:
    made, machine = counter()
    for count in range(1, 20):
        machine.run(pulses(1))
        assert made.value() == count


def test_a_level_that_does_not_stand_is_no_pulse() -> None:
    made, machine = counter()
    machine.run([0] * 50 + ([1] * 3 + [0] * 40) * 20)
    assert made.value() == 0


def test_a_contact_that_bounces_counts_once() -> None:
    made, machine = counter()
    bouncing = [0] * 100 + [1, 0, 0, 1, 0, 1, 1, 0] + [1] * 100 + [0, 1, 0, 0, 1, 0] + [0] * 100
    machine.run(bouncing * 50)
    assert made.value() == 50


def test_a_level_that_stands_from_the_start_is_no_pulse() -> None:
    made, machine = counter()
    machine.run([1] * 500)
    assert made.value() == 0


def test_the_clock_makes_the_settling_time() -> None:
    assert counter(32)[1].freq == 1_000_000
    assert counter(16_000)[1].freq == 2_000  # the slowest clock of an rp2 is 1908 Hz
    assert PIO_STEPS_AFTER_EDGE == 1 + 31  # the wait and its delay
