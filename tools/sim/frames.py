"""RTU frames as a slave sees them: where a request ends, and its checksum.

Written apart from the master's library, so that a mistake on one side meets the truth on the other.
Source: MODBUS Application Protocol Specification V1.1b3, section 6; Serial Line V1.02, section 2.5.1.2.
"""

LONGEST_FRAME_BYTES = 256  # Serial Line V1.02, section 2.5.1
BROADCAST = 0

_FIXED_LENGTH = dict.fromkeys((1, 2, 3, 4, 5, 6), 8)
_COUNTED = (15, 16)  # address, function, start, quantity, byte count, then that many bytes
_COUNTED_HEAD_BYTES = 7


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """Return the checksum of data."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def sealed(data: bytes) -> bytes:
    """Return data with its checksum, low byte first."""
    return data + crc16(data).to_bytes(2, "little")


def is_sound(frame: bytes) -> bool:
    """Return whether frame is long enough and its checksum fits."""
    return 4 <= len(frame) <= LONGEST_FRAME_BYTES and sealed(frame[:-2]) == frame


def request_length(heard: bytes) -> int | None:
    """Return how many bytes the request at the start of heard has; None: not to be told from these bytes."""
    if len(heard) < 2:
        return None
    function = heard[1]
    if function in _FIXED_LENGTH:
        return _FIXED_LENGTH[function]
    if function in _COUNTED and len(heard) >= _COUNTED_HEAD_BYTES:
        return _COUNTED_HEAD_BYTES + heard[6] + 2
    return None


class Ear:
    """Cuts what arrives into requests. A frame of known length ends with it, any other with silence."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self.malformed = 0

    @property
    def is_listening(self) -> bool:
        """Return whether a frame has begun and not ended."""
        return bool(self._heard)

    def hear(self, data: bytes) -> list[bytes]:
        """Take bytes; return the requests that are complete by them."""
        self._heard += data
        requests = []
        while (request := self._complete()) is not None:
            requests.append(request)
        return requests

    def silence(self) -> list[bytes]:
        """Take the end of a frame by silence; return the request if there is one, else count it."""
        rest = bytes(self._heard)
        self._heard.clear()
        if not rest:
            return []
        if is_sound(rest):
            return [rest]
        self.malformed += 1
        return []

    def _complete(self) -> bytes | None:
        length = request_length(bytes(self._heard))
        if length is None or len(self._heard) < length:
            return None
        frame = bytes(self._heard[:length])
        if not is_sound(frame):
            return None
        del self._heard[:length]
        return frame
