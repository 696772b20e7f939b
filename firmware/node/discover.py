"""Asks the network which hubs are nearby: one mDNS question from a port of its own, answered to that port.

The board's own responder holds port 5353, so nothing is announced here. What comes back is a hint from
anybody; who answers there is proved by the node's key.
Source: RFC 6762 (5.1, 6.7, 18), RFC 1035 (4.1), RFC 6763 (6).
"""

import asyncio
import os
import socket

from shared_schema.neighbours import HUBS_MOST, ipv4

GROUP, PORT = "224.0.0.251", 5353
SERVICE = (b"_iot-monitor", b"_tcp", b"local")
ASK_AT_MS = (0, 400)  # a datagram may be lost, and Wi-Fi does not repeat what goes to a group
LISTEN_MS = 1200  # responders may take half a second
LOOK_EVERY_MS = 40
PACKETS_MOST = 32
PACKET_BYTES = 1472  # what fits an Ethernet frame
RECORDS_MOST = 64
NAME_BYTES = 255
_PTR, _TXT, _SRV, _A = 12, 16, 33, 1
_ANSWER, _ANSWER_MASK = 0x8000, 0xF80F  # a response, to a standard query, without an error


class BadAnswer(ValueError):
    """A packet that is no answer to the question, or a malformed one."""


class Answer:
    """The records of interest in one packet, by lower-case name. services: instance -> its host's name."""

    def __init__(self) -> None:
        self.instances = []
        self.services = {}
        self.ports = {}
        self.hosts = {}


def question(number: int) -> bytes:
    """Return the packet that asks for hubs. number: of 16 bits, comes back with the answer."""
    name = b"".join([bytes([len(label)]) + label for label in SERVICE])
    head = number.to_bytes(2, "big") + b"\x00\x00\x00\x01" + bytes(6)
    return head + name + b"\x00\x00\x0c\x80\x01"  # PTR; an answer to the asker alone is welcome


def hubs_in(packet, number: int, source: str) -> list:
    """Return (host, port) of every hub a packet tells of, at most HUBS_MOST.

    source: where the packet came from: of a hub's addresses that one is taken, since it can be reached.
    Raises BadAnswer, and nothing else.
    """
    answer = _records(packet, number)
    found = []
    for instance in answer.instances:
        port = answer.ports.get(instance)
        hosts = answer.hosts.get(answer.services.get(instance), ())
        if port and hosts:
            _add(found, (source if source in hosts else hosts[0], port))
    return found


async def search(open_socket) -> list:
    """Return the addresses of the hubs that answer within LISTEN_MS. Raises OSError without a network.

    open_socket: returns a UDP socket, as the board needs it.
    """
    connection = open_socket()
    try:
        connection.setblocking(False)
        to = socket.getaddrinfo(GROUP, PORT)[0][-1]  # numbers: nothing is resolved
        number = int.from_bytes(os.urandom(2), "big")
        found, packets = [], 0
        for now_ms in range(0, LISTEN_MS, LOOK_EVERY_MS):
            if now_ms in ASK_AT_MS:
                connection.sendto(question(number), to)
            await asyncio.sleep(LOOK_EVERY_MS / 1000)
            while packets < PACKETS_MOST and (heard := _heard(connection)) is not None:
                packets += 1
                _note(found, heard, number)
        return found
    finally:
        connection.close()


def _note(found: list, heard, number: int) -> None:
    try:
        for address in hubs_in(heard[0], number, host_of(heard[1])):
            _add(found, address)
    except BadAnswer:
        pass  # anybody may send anything


def _add(found: list, address) -> None:
    if address not in found and len(found) < HUBS_MOST:
        found.append(address)


def _heard(connection):
    try:
        return connection.recvfrom(PACKET_BYTES)
    except OSError:  # nothing waits; or what was sent could not be delivered
        return None


def host_of(address) -> str:
    """Return the host of a socket's address: a pair, or on the Unix port what the kernel gave."""
    if isinstance(address, tuple):
        return address[0]
    return "%d.%d.%d.%d" % tuple(address[4:8])


def _records(packet, number: int) -> Answer:
    if len(packet) < 12 or len(packet) > PACKET_BYTES or _u16(packet, 0) != number:
        raise BadAnswer("not an answer")
    if _u16(packet, 2) & _ANSWER_MASK != _ANSWER:
        raise BadAnswer("not an answer")
    questions = _u16(packet, 4)
    records = _u16(packet, 6) + _u16(packet, 8) + _u16(packet, 10)
    if questions > 1 or records > RECORDS_MOST:
        raise BadAnswer("too many records")
    answer, at = Answer(), 12
    for _ in range(questions):
        at = _name(packet, at)[1] + 4
    for _ in range(records):
        at = _record(packet, at, answer)
    return answer


def _record(packet, at: int, answer: Answer) -> int:
    """Take the record at at; return where the next begins."""
    name, at = _name(packet, at)
    kind, length = _u16(packet, at), _u16(packet, at + 8)
    data, end = at + 10, at + 10 + length
    if end > len(packet):
        raise BadAnswer("truncated")
    if kind == _PTR and name == _SERVICE_NAME:
        answer.instances.append(_name(packet, data)[0])
    elif kind == _SRV:
        answer.services[name] = _name(packet, data + 6)[0]
    elif kind == _TXT:
        answer.ports[name] = _node_port(packet, data, end)
    elif kind == _A and length == 4:
        host = ipv4(packet[data:end])
        if host is not None:
            answer.hosts.setdefault(name, []).append(host)
    return end


def _node_port(packet, at: int, end: int) -> int:
    """Return the number behind node_port= in a TXT record's strings; 0 when there is none."""
    while at < end:
        length = packet[at]
        text = bytes(packet[at + 1 : min(end, at + 1 + length)])
        if text.startswith(b"node_port=") and len(text) <= 15 and text[10:].isdigit():
            return min(65_536, int(text[10:])) % 65_536
        at += 1 + length
    return 0


def _name(packet, at: int):
    """Return the name at at, in lower case, and where it ends.

    Pointers lead strictly backwards, so that no loop of them ends the search.
    """
    labels, size, end, earliest = [], 0, None, at
    while True:
        length = _u8(packet, at)
        if length >= 0xC0:
            target = _u16(packet, at) & 0x3FFF
            end = at + 2 if end is None else end
            if target >= earliest:
                raise BadAnswer("a pointer that leads on")
            at = earliest = target
            continue
        at += 1
        size += length + 1
        if length > 63 or size > NAME_BYTES or at + length > len(packet):
            raise BadAnswer("a name that cannot be")
        if not length:
            return b".".join(labels), at if end is None else end
        labels.append(bytes(packet[at : at + length]).lower())
        at += length


def _u8(packet, at: int) -> int:
    if at >= len(packet):
        raise BadAnswer("truncated")
    return packet[at]


def _u16(packet, at: int) -> int:
    return _u8(packet, at) << 8 | _u8(packet, at + 1)


_SERVICE_NAME = b".".join(SERVICE)
