"""Bytes in and out, and what is watched for them."""

import select
import socket

import pytest

from tools.sim.ports import Ports

DEADLINE_S = 5.0


@pytest.fixture
def ports():
    ports = Ports(19_200, None, 0)
    ports.plug()
    yield ports
    ports.close()


def heard(ports):
    """Wait for something to arrive; return the bytes."""
    readable = select.select(ports.watched(), (), (), DEADLINE_S)[0]
    assert readable, "nothing came"
    found = [port for descriptor in readable if (port := ports.find(descriptor))]
    return [ports.read(port) for port in found]


def test_a_connection_is_watched_until_it_ends(ports):
    alone = ports.watched()
    with socket.create_connection(("127.0.0.1", ports.tcp_port)) as client:
        assert heard(ports) == []
        assert len(ports.watched()) == len(alone) + 1
        client.sendall(b"ab")
        assert heard(ports) == [b"ab"]
        [descriptor] = set(ports.watched()) - set(alone)
        ports.write(descriptor, b"cd")
        assert client.recv(10) == b"cd"
    assert heard(ports) == [b""]
    assert sorted(ports.watched()) == sorted(alone)


def test_a_pull_ends_every_connection_and_a_plug_keeps_the_tcp_port(ports):
    number = ports.tcp_port
    with socket.create_connection(("127.0.0.1", number), timeout=DEADLINE_S) as client:
        heard(ports)
        ports.pull()
        assert client.recv(10) == b""
    assert ports.watched() == []
    ports.plug()
    assert ports.tcp_port == number


def test_a_frame_for_a_port_that_is_gone_is_lost(ports):
    descriptor = ports.cable.near
    ports.pull()
    ports.write(descriptor, b"x")
    assert ports.watched() == []


def test_a_line_nobody_reads_loses_what_does_not_fit(ports):
    for _ in range(200):
        ports.write(ports.cable.near, bytes(256))
    assert len(ports.watched()) == 2
