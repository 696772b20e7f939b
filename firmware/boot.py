"""Starts the application of the active slot, and gets the node out of everything that may go wrong with it.

Lies in the root of the node's flash, beside pack.py, node/slots.py and node/trial.py, and is never updated
over the air; main.py in the root calls start(). It is no boot.py of MicroPython's: with native USB the serial
line is there only when boot.py has ended (rp2 since 1.23), and mpremote would run it at each soft reset.

1. MAINTENANCE_MS in which Ctrl-C reaches the prompt, before anything is read that may be broken.
2. What the last boot's end means is counted (node/trial.py); the record says which slot starts.
3. The slot's firmware.main.run(start) runs. When it returns the board is reset; when it raises, that is noted
   in CRASH_FILE before. The watchdog is restarted through start.feed() alone, where time on trial ends.

KeyboardInterrupt is never caught: it is the way to the prompt.
"""

import io
import sys

from firmware.node import slots, trial
from firmware.node.trial import ResetCause
from firmware.pack import Pack

MAINTENANCE_MS = 3000
WATCHDOG_MS = 8000  # the RP2040 counts to 8388 ms
MOUNT = "/application"
CRASH_FILE = "crash.txt"
CRASH_BYTES = 1000  # the end of a traceback says most


class Hardware:
    """What a board does, as MicroPython's machine and time have it."""

    def __init__(self) -> None:
        import time  # noqa: PLC0415

        import machine  # noqa: PLC0415 - only boards have it

        self._machine = machine
        self._time = time

    def reset_cause(self) -> int:
        """Return a ResetCause as far as the hardware knows. An rp2 that resets itself says WATCHDOG."""
        cause = self._machine.reset_cause()
        for name, meaning in (
            ("PWRON_RESET", ResetCause.POWER),
            ("WDT_RESET", ResetCause.WATCHDOG),
            ("DEEPSLEEP_RESET", ResetCause.SLEEP),
        ):
            if cause == getattr(self._machine, name, None):
                return meaning
        return ResetCause.OTHER

    def reset(self) -> None:
        """Start the board anew; does not return."""
        self._machine.reset()

    def start_watchdog(self, timeout_ms: int):
        """Return a watchdog that resets the board unless its feed() is called in time."""
        return self._machine.WDT(timeout=timeout_ms)

    def ticks_ms(self) -> int:
        """Return a counter of milliseconds that wraps."""
        return self._time.ticks_ms()

    def ticks_diff(self, later: int, earlier: int) -> int:
        """Return the milliseconds between two counts."""
        return self._time.ticks_diff(later, earlier)

    def sleep_ms(self, duration_ms: int) -> None:
        """Wait; Ctrl-C ends it with KeyboardInterrupt."""
        self._time.sleep_ms(duration_ms)


class Start:
    """What the application is told, and the watchdog as it gets it. Items are only ever added.

    root: where slots and node data lie, with a slash at the end. slot: "a" or "b". cause: a ResetCause.
    """

    def __init__(self, root: str, pointer: slots.Pointer, cause: int, hardware: Hardware) -> None:
        self.root = root
        self.slot = pointer.active
        self.cause = cause
        self.is_trial = pointer.is_trial
        self.is_safe_mode = trial.is_safe_mode(pointer)
        self._is_young = pointer.fast_resets > 0
        self._is_timed = pointer.is_trial
        self._hardware = hardware
        self._watchdog = hardware.start_watchdog(WATCHDOG_MS)
        self._began_ms = hardware.ticks_ms()

    def feed(self) -> None:
        """Restart the watchdog; to be called at least every 5 s, once all parts of the application moved."""
        self._watchdog.feed()
        if not (self._is_young or self._is_timed):
            return
        age_ms = self._hardware.ticks_diff(self._hardware.ticks_ms(), self._began_ms)
        if self._is_young and age_ms >= trial.STEADY_S * 1000:
            self._is_young = False
            self._forget_fast_resets()
        if self._is_timed and age_ms >= trial.TRIAL_S * 1000:
            self._is_timed = False
            self._end_trial()

    def _forget_fast_resets(self) -> None:
        pointer = slots.load(self.root)
        pointer.fast_resets = 0
        _store(self.root, pointer)

    def _end_trial(self) -> None:
        pointer = slots.load(self.root)
        if pointer.is_trial:
            pointer.exchange()
            pointer.reset_note = ResetCause.ORDERLY
            _store(self.root, pointer)
            self._hardware.reset()


def start(hardware: "Hardware | None" = None, root: str = "/") -> None:
    """Run the application of the active slot until it ends, then reset the board."""
    hardware = hardware or Hardware()
    cause = hardware.reset_cause()
    if cause != ResetCause.SLEEP:
        print("penstock starts in %d s; Ctrl-C stops it" % (MAINTENANCE_MS // 1000))
        hardware.sleep_ms(MAINTENANCE_MS)
    pointer, cause = _choose(root, cause)
    note = ResetCause.EXCEPTION
    try:
        _run(Start(root, pointer, cause, hardware))
        note = ResetCause.ORDERLY
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001
        _note_crash(root, pointer, error)
    _note_reset(root, note)
    hardware.reset()


def _choose(root: str, cause: int) -> "tuple[slots.Pointer, int]":
    """Count the reset that led here; return what the record says then, and why the reset was."""
    pointer = slots.load(root)
    before = slots.encode(0, pointer)
    cause = pointer.reset_note or cause
    trial.count_reset(pointer, cause)
    is_hopeless = trial.is_beyond_safe_mode(pointer) or not slots.is_whole(root, pointer.active)
    if is_hopeless and slots.is_whole(root, pointer.previous):
        trial.fall_back(pointer)
    if slots.encode(0, pointer) != before or not slots.is_recorded(root):
        _store(root, pointer)
    return pointer, cause


def _run(start: Start) -> None:
    """Run the slot's application; from here on imports come from its slot, also of what the root has."""
    sys.path.insert(0, _application(slots.folder(start.root, start.slot)))
    for name in list(sys.modules):
        if name.split(".")[0] in ("firmware", "shared_schema"):
            del sys.modules[name]
    from firmware.main import run  # noqa: PLC0415 - only now is it known which

    run(start)


def _application(slot: str) -> str:
    """Return where the modules of a slot are imported from: its pack, or its folder without one."""
    try:
        pack = Pack(slot + slots.PACK)
    except OSError:
        return slot[:-1]
    import vfs  # noqa: PLC0415 - CPython has none, and runs what is in folders

    vfs.mount(pack, MOUNT)
    return MOUNT


def _note_crash(root: str, pointer: slots.Pointer, error: BaseException) -> None:
    """Leave what happened for the next boot to report; there is no telling who else could."""
    try:
        version = pointer.trial_version if pointer.is_trial else pointer.version
        text = "slot %s, %s\n%s" % (pointer.active, version, _traceback(error))
        with open(root + CRASH_FILE, "wb") as file:
            file.write(text.encode()[-CRASH_BYTES:])
    except Exception as trouble:  # noqa: BLE001
        print("no crash file:", repr(trouble))


def _traceback(error: BaseException) -> str:
    buffer = io.StringIO()
    if hasattr(sys, "print_exception"):  # MicroPython
        sys.print_exception(error, buffer)
    else:
        import traceback  # noqa: PLC0415

        traceback.print_exception(error, file=buffer)
    return buffer.getvalue()


def _note_reset(root: str, note: int) -> None:
    pointer = slots.load(root)
    if not pointer.reset_note:  # an update that was put in place says so itself
        pointer.reset_note = note
        _store(root, pointer)


def _store(root: str, pointer: slots.Pointer) -> None:
    """Store pointer; a flash that takes nothing must not keep the application from starting."""
    try:
        slots.store(root, pointer)
    except OSError as error:
        print("slots not stored:", repr(error))
