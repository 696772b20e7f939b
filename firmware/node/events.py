"""What the node has to say of itself until a hub can hear it: a short queue, one entry a change. Pure."""

from shared_schema.reports import Event, EventLevel

MOST = 8


class Events:
    """Waiting events, oldest first; the oldest gives way when there are more than MOST."""

    def __init__(self) -> None:
        self.waiting = []
        self._troubles = {}

    def tell(self, level: int, code: str, text: str) -> None:
        """Queue an event."""
        if len(self.waiting) == MOST:
            self.waiting.pop(0)
        self.waiting.append(Event(level, code, text))

    def trouble(self, code: str, what: str, text: str) -> None:
        """Say that something fails; once, until it is over or fails in another way."""
        if self._troubles.get((code, what)) != text:
            self._troubles[(code, what)] = text
            self.tell(EventLevel.WARNING, code, "%s: %s" % (what, text))

    def is_over(self, code: str, what: str) -> None:
        """Say that it works again, when it had been said that it fails."""
        if self._troubles.pop((code, what), None) is not None:
            self.tell(EventLevel.INFO, code + "_over", what)
