# mypy: ignore-errors
"""Stands for the module bluetooth: tells the watching process what it advertises."""


class BLE:
    """The radio. Only advertises while it is on."""

    ADDRESS = b"\xc0\xff\xee\x00\x00\x01"
    is_on = False

    def active(self, is_active):
        """Switch it."""
        BLE.is_on = is_active

    def config(self, name):
        """Return the address, with its type."""
        return {"mac": (0, self.ADDRESS)}[name]

    def gap_advertise(self, interval_us, adv_data=None, connectable=True):
        """Begin to send, or end it."""
        if interval_us is None:
            return
        if not BLE.is_on or connectable or len(adv_data) > 31:
            raise OSError(22)
        print("!air " + bytes(adv_data).hex())
