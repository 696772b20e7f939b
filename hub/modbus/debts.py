"""Replies that slaves still owe after a timeout, and how not to take them for another's.

On a serial line a reply names neither its request nor its registers: a slave that answers too late would
fill the next request of the same length with the values of the former. So a slave that owes replies is
believed again only after it has answered a read whose reply has a length that none of the owed ones has.
"""

from dataclasses import replace

from hub.modbus.requests import Request

# What a slave has not said after this long it will not say any more. Gateways hold requests for seconds.
_FORGIVEN_AFTER_S = 5.0
_CANDIDATES = 8


class Debts:
    """What the slaves of one line owe."""

    def __init__(self) -> None:
        self._owed: dict[int, dict[tuple[int, int], float]] = {}

    def owe(self, request: Request, now_s: float) -> None:
        """Note that a request got no reply."""
        mine = self._owed.setdefault(request.unit, {})
        mine[request.function, request.reply_bytes] = now_s + _FORGIVEN_AFTER_S

    def settle(self, unit: int) -> None:
        """Note that a slave answered a question that could not be mistaken."""
        self._owed.pop(unit, None)

    def owes(self, unit: int, now_s: float) -> bool:
        """Return whether replies may still come that nobody waits for."""
        mine = self._owed.get(unit)
        if not mine:
            return False
        for key in [key for key, until_s in mine.items() if until_s <= now_s]:
            del mine[key]
        if not mine:
            del self._owed[unit]
        return bool(mine)

    def question(self, request: Request) -> Request:
        """Return a read like request, but short and with a reply of a length nobody owes."""
        owed = self._owed.get(request.unit, {})
        step = 8 if request.function in {1, 2} else 1
        for number in range(_CANDIDATES):
            asked = replace(request, count=1 + number * step, values=())
            if (asked.function, asked.reply_bytes) not in owed:
                return asked
        return request
