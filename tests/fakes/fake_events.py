"""An EventSink that remembers."""


class FakeEvents:
    """active: level by code and device. raised: every code that was raised, once per call."""

    def __init__(self) -> None:
        self.active: dict[tuple[str, str | None], str] = {}
        self.raised: list[str] = []

    def raise_event(self, level: str, code: str, message: str, *, device_key: str | None = None) -> None:
        assert message
        self.active[code, device_key] = level
        self.raised.append(code)

    def clear_event(self, code: str, *, device_key: str | None = None) -> None:
        self.active.pop((code, device_key), None)
