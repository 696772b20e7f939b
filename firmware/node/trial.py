"""When a new release may stay, and when it has to go. Pure; the boot part and the application share it.

A release is on trial until the hub acknowledged a row of this very boot: then it measures, connects, proves
itself and stores. The acknowledgement counts after SETTLE_S, as a release that does all that for a minute and
then crashes would never go back. It goes back when TRIAL_BOOTS boots ended, or one lasted TRIAL_S. A power
cut is nobody's fault and counts as nothing.
"""

from firmware.node import slots
from firmware.node.slots import Pointer

TRIAL_BOOTS = 3
TRIAL_S = 600
SETTLE_S = 120
STEADY_S = 60  # a boot that lasted this long was not a fast reset
FAST_RESETS = 5  # in a row, then the application starts in safe mode
LAST_RESORT_RESETS = 10  # safe mode fails as well: the other slot is tried, if there is one


class ResetCause:
    """Why this boot is: what the hardware says, or what was noted before the reset."""

    POWER = 0
    WATCHDOG = 1
    EXCEPTION = 2  # the application raised
    ORDERLY = 3  # the application returned, or its time on trial was over
    SLEEP = 4  # woken from deep sleep
    UPDATE = 5  # a new release was put in place
    OTHER = 6
    NAMES = ("power", "watchdog", "exception", "orderly", "sleep", "update", "other")


FAULTS = (ResetCause.WATCHDOG, ResetCause.EXCEPTION)
# A release on trial that restarts itself, or sleeps without having reached the hub, would do so for ever.
ENDS_OF_A_TRIAL_BOOT = FAULTS + (ResetCause.ORDERLY, ResetCause.SLEEP)
FAST = FAULTS + (ResetCause.ORDERLY,)


def count_reset(pointer: Pointer, cause: int) -> None:
    """Enter into pointer what this boot says about the one before; roll back when the trial is used up."""
    pointer.reset_note = 0
    if cause in FAST:
        pointer.fast_resets += 1
    if pointer.is_trial and cause in ENDS_OF_A_TRIAL_BOOT:
        pointer.trial_boots_left -= 1
        if pointer.trial_boots_left == 0:
            pointer.exchange()


def is_beyond_safe_mode(pointer: Pointer) -> bool:
    """Return True when the active slot cannot even do what safe mode asks of it."""
    return pointer.fast_resets >= LAST_RESORT_RESETS


def fall_back(pointer: Pointer) -> None:
    """Make the other slot the active one without knowing what is in it."""
    pointer.exchange()
    pointer.version, pointer.counter = "", 0  # so any release counts as newer


def is_safe_mode(pointer: Pointer) -> bool:
    """Return True when the application shall do no more than connect and take an update."""
    return pointer.fast_resets >= FAST_RESETS


class Trial:
    """The application's side: what ends its trial well.

    first_seq: the lowest number a row of this boot can have, which is the ring's next_seq at its mount.
    """

    def __init__(self, root: str, first_seq: int, settle_s: int = SETTLE_S) -> None:
        self._root = root
        self._first_seq = first_seq
        self._settle_s = settle_s
        self.is_running = slots.load(root).is_trial

    def acknowledge(self, stored_seq: int, age_s: int) -> bool:
        """Take the hub's word that everything up to stored_seq is stored; True when that ended the trial.

        To be called for an acknowledgement within an authenticated session only. age_s: of this boot. Raises
        OSError; the trial goes on then.
        """
        if not self.is_running or stored_seq < self._first_seq or age_s < self._settle_s:
            return False
        pointer = slots.load(self._root)
        confirm(pointer)
        slots.store(self._root, pointer)
        self.is_running = False
        return True


def begin(pointer: Pointer, version: str, counter: int) -> None:
    """Put the other slot on trial; what was active is the way back."""
    pointer.exchange()
    pointer.trial_boots_left = TRIAL_BOOTS
    pointer.trial_version, pointer.trial_counter = version, counter
    pointer.reset_note = ResetCause.UPDATE


def confirm(pointer: Pointer) -> None:
    """Make the release on trial the one that stays."""
    pointer.trial_boots_left = 0
    pointer.version, pointer.counter = pointer.trial_version, pointer.trial_counter
    pointer.trial_version, pointer.trial_counter = "", 0
