"""What a hub tells its nodes of the site's other hubs: where they are, and how soon a node goes back.

Addresses are (host, port), host an IPv4 address in numbers. Where a node belongs is the node's to say
(firmware/node/addresses.py).
"""

from shared_schema.packing import LinkError, Reader

HUBS_MOST = 8  # a node keeps them in memory, and tries each in turn
RETURN_MOST_S = 65_535


class Hubs:
    """The other hubs that are there now. return_after_s: how long a node waits before it goes back."""

    def __init__(self, return_after_s: int, addresses: list[tuple[str, int]]) -> None:
        self.return_after_s = return_after_s
        self.addresses = addresses


def encode_hubs(hubs: Hubs) -> bytes:
    """U16 return_after_s, u8 count, per hub 4 bytes of address and u16 port. Raises ValueError."""
    if len(hubs.addresses) > HUBS_MOST or not 0 <= hubs.return_after_s <= RETURN_MOST_S:
        raise ValueError("%d hubs, %d s" % (len(hubs.addresses), hubs.return_after_s))
    found = bytearray(hubs.return_after_s.to_bytes(2, "big"))
    found.append(len(hubs.addresses))
    for host, port in hubs.addresses:
        found += bytes([int(part) for part in host.split(".")])
        found += port.to_bytes(2, "big")
    return bytes(found)


def decode_hubs(payload: bytes | memoryview) -> Hubs:
    """Read a HUBS. Raises LinkError."""
    reader = Reader(payload)
    hubs = Hubs(reader.u16(), [])
    for _ in range(reader.u8(HUBS_MOST)):
        host = ipv4(reader.take(4))
        port = reader.u16()
        if host is None or not port:
            raise LinkError("an address that cannot be")
        hubs.addresses.append((host, port))
    reader.end()
    return hubs


def ipv4(four: bytes | memoryview) -> str | None:
    """Return four bytes as an address in numbers; None when no single machine can have it."""
    if four[0] == 0 or four[0] >= 224:
        return None
    return "%d.%d.%d.%d" % (four[0], four[1], four[2], four[3])
