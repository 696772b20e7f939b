"""A UART whose other end sends at times, and answers what is written."""


class FakeUart:
    """answer(written) -> list of (delay ms, bytes). Bytes are there when their time has come."""

    def __init__(self, time, answer=None):
        self._time = time
        self._answer = answer
        self._coming = []
        self._received = bytearray()
        self.written = []
        self.flushes = 0
        self.settings = []

    def init(self, *setting):
        self.settings.append(setting)

    def send(self, at_ms, data):
        self._coming.append((at_ms, data))

    def any(self):
        self._arrive()
        return len(self._received)

    def readinto(self, buffer, length=None):
        self._arrive()
        count = min(len(buffer), len(self._received), len(buffer) if length is None else length)
        if count == 0:
            return None
        buffer[:count] = self._received[:count]
        self._received = self._received[count:]
        return count

    def write(self, data):
        self.written.append(bytes(data))
        if self._answer is not None:
            for delay_ms, reply in self._answer(bytes(data)):
                self.send(self._time.now_ms + delay_ms, reply)
        return len(data)

    def flush(self):
        self.flushes += 1

    def _arrive(self):
        for at_ms, data in self._coming:
            if at_ms <= self._time.now_ms:
                self._received.extend(data)
        self._coming = [entry for entry in self._coming if entry[0] > self._time.now_ms]
