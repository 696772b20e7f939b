"""The addresses of this machine."""

import socket

import psutil

from hub.mesh.own_addresses import OwnAddress


def own_addresses() -> list[OwnAddress]:
    """Return all IPv4 addresses. Tunnels have no broadcast address: they are no LAN."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    return [
        OwnAddress(name, each.address, each.netmask or "255.255.255.255", name in up and bool(each.broadcast))
        for name, addresses in sorted(psutil.net_if_addrs().items())
        for each in addresses
        if each.family == socket.AF_INET
    ]
