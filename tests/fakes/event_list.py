"""An EventSink that remembers."""

from typing import NamedTuple


class Event(NamedTuple):
    level: str
    code: str
    message: str
    device_key: str | None


class EventList:
    """raised: everything that was ever reported. open: what is still wrong, by code and device."""

    def __init__(self) -> None:
        self.raised: list[Event] = []
        self.open: dict[tuple[str, str | None], Event] = {}

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        event = Event(level, code, message, device_key)
        self.raised.append(event)
        self.open[code, device_key] = event

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        self.open.pop((code, device_key), None)

    def codes(self) -> list[str]:
        """Return the codes of all that was raised, in order."""
        return [event.code for event in self.raised]
