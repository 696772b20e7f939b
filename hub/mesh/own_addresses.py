"""Which of this machine's addresses a neighbourhood can dial. IPv4, as boards speak it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

VIRTUAL = ("docker", "br-", "veth", "virbr", "lxc")  # inside this machine, though they look like a LAN


class OwnAddress(NamedTuple):
    """One address of an interface. is_lan: it is up, and others can be reached all at once there."""

    interface: str
    address: str
    netmask: str
    is_lan: bool


def usable(found: Iterable[OwnAddress], interface: str | None) -> tuple[OwnAddress, ...]:
    """Return the addresses to announce. interface: a name or an address; None chooses."""
    if interface is not None:
        return tuple(each for each in found if interface in {each.interface, each.address})
    return tuple(each for each in found if each.is_lan and not each.interface.startswith(VIRTUAL))


def nearest(addresses: Sequence[str], own: Iterable[OwnAddress]) -> str:
    """Return the address that lies in one of our networks; the first when none does."""
    networks = [(_number(each.address), _number(each.netmask)) for each in own]
    for address in addresses:
        if any(_number(address) & mask == ours & mask for ours, mask in networks):
            return address
    return addresses[0]


def _number(address: str) -> int:
    return int.from_bytes(bytes(int(part) for part in address.split(".")), "big")
