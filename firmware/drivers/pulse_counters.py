"""Counting edges while Python does something else; boards choose. Each has value(), from 0 at its making.

ESP32, S2, S3, C6 need none of these: machine.Counter (MicroPython 1.26) counts in hardware. Its filter
reaches 12.8 us, so a reed contact needs 100 nF and 10 kOhm.
"""

PIO_STEPS_AFTER_EDGE = 32


class PioCounter:
    """Counts in a PIO state machine of an rp2: also while flash is written, when all interrupts are off.

    rp2: the module. pin: a machine.Pin. A level counts when it still stands settle_us after the edge, 32
    (Hall sensors) to 16000 (reed contacts); up to 1 / (2 * settle_us) pulses a second are seen.
    """

    def __init__(self, rp2, state_machine: int, pin, settle_us: int = 32) -> None:
        clock_hz = PIO_STEPS_AFTER_EDGE * 1_000_000 // settle_us
        program = rp2.asm_pio()(_count_edges)
        self._machine = rp2.StateMachine(state_machine, program, freq=clock_hz, in_base=pin, jmp_pin=pin)
        self._machine.exec("set(x, 0)")
        self._machine.active(1)

    def value(self) -> int:
        """Return the edges counted, modulo 2**32."""
        self._machine.exec("mov(isr, x)")
        self._machine.exec("push()")
        return -self._machine.get() & 0xFFFF_FFFF  # X counts downwards: a state machine cannot add


# The words below are the assembler's: rp2.asm_pio puts them there while it runs the function.
def _count_edges() -> None:
    label("edge")  # noqa: F821
    wait(0, pin, 0)  # noqa: F821
    wait(1, pin, 0)[31]  # noqa: F821
    jmp(pin, "settled")  # noqa: F821
    jmp("edge")  # noqa: F821
    label("settled")  # noqa: F821
    jmp(x_dec, "edge")  # noqa: F821


class IrqCounter:
    """Counts interrupts, where there is no hardware for it (ESP32-C3).

    Edges that come while interrupts are off (a flash write takes up to 80 ms) collapse into one: for slow
    meters. pin: a machine.Pin. trigger: Pin.IRQ_RISING.
    """

    def __init__(self, pin, trigger: int, is_hard: bool = False) -> None:
        self._pulses = 0
        # A bound method is made anew at each look-up, and a hard interrupt may not allocate.
        self._handler = self._count
        if is_hard:  # ports without hard interrupts refuse the word
            pin.irq(self._handler, trigger, hard=True)
        else:
            pin.irq(self._handler, trigger)

    def value(self) -> int:
        """Return the edges counted, modulo 2**30."""
        return self._pulses

    def _count(self, _pin) -> None:
        # 30 bits stay a small integer; a larger one would be an object, made within the interrupt.
        self._pulses = (self._pulses + 1) & 0x3FFF_FFFF
