"""Broadcasts of a battery node in BTHome v2, plain or encrypted.

Source: bthome.io, "BTHome v2 format" (service data, object ids and factors, ascending order of ids) and
"Encryption" (AES-CCM, nonce). An advertisement holds 31 bytes: 3 of flags, 4 around the service data, 1
device information; encryption takes 8 more. That leaves 23 or 15 bytes of objects, so they take turns.
"""

from firmware.node.ccm import seal

UUID = b"\xd2\xfc"
PLAIN = 0x40  # version 2 in bits 5..7
ENCRYPTED = 0x41
ROOM_PLAIN = 23
ROOM_ENCRYPTED = 15
PACKET_ID = 0x00
_FLAGS = b"\x02\x01\x06"  # generally discoverable, no BR/EDR
_SERVICE_DATA = 0x16

# metric id: (object id, bytes, signed, numerator, denominator); from the metric's scale to the object's.
# BTHome has no object for tds_ppm, ph, status codes and dissolved gases: these come over the link alone.
OBJECTS = {
    1: (0x40, 2, False, 1, 1),  # water_level_cm: distance, mm
    2: (0x55, 4, False, 1000, 1),  # volume_l: volume storage, ml
    3: (0x02, 2, True, 1, 1),  # temperature_c: temperature, 0.01 degrees
    6: (0x0C, 2, False, 10, 1),  # battery_v: voltage, mV
    10: (0x49, 2, False, 3, 50),  # flow_rate_lpm: volume flow rate, l/h
    11: (0x4F, 4, False, 100, 1),  # cumulative_volume_l: water, ml
    12: (0x04, 3, False, 100, 1),  # pressure_bar: pressure, Pa
    13: (0x02, 2, True, 1, 1),
    14: (0x0C, 2, False, 10, 1),
    20: (0x41, 2, False, 1, 10),  # static_water_level_m: distance, 0.1 m: mm end at 65 m
    21: (0x41, 2, False, 1, 10),
    23: (0x61, 2, False, 1, 1),  # pump_speed_rpm: rotational speed, 1/min
    24: (0x5C, 4, True, 100, 1),  # pump_power_w: power, 0.01 W
    25: (0x43, 2, False, 10, 1),  # pump_current_a: current, mA
    30: (0x02, 2, True, 1, 1),
    31: (0x03, 2, False, 10, 1),  # humidity_percent: humidity, 0.01 %
    32: (0x04, 3, False, 10, 1),  # pressure_hpa: pressure, Pa
    34: (0x56, 2, False, 1, 10),  # conductivity_us_cm: conductivity, uS/cm
    40: (0x3E, 4, False, 1, 1),  # entries: count
    50: (0x4A, 2, False, 1, 10),  # voltage_v: voltage, 0.1 V
    51: (0x43, 2, False, 1, 1),  # current_a: current, mA
    52: (0x5C, 4, True, 10, 1),  # power_w: power, 0.01 W
    55: (0x4D, 4, False, 1, 1),  # energy_kwh: energy, Wh
}


class Broadcaster:
    """Turns readings into service data; each call is one advertisement.

    metrics: ids, in the order of the values; those without an object are left out. counter: a StrideCounter;
    its numbers are the packet ids and, with encryption, the nonces. encrypt_block: AES of the node's key
    (ccm.aes_ecb) with mac, the 6 bytes of the Bluetooth address as it is written; None sends plain.
    turn: which object leads the next one, to be kept as the counter is.
    Raises ValueError when two metrics share an object: a receiver could not tell one's turn from the other's.
    """

    def __init__(self, metrics, counter, encrypt_block=None, mac: bytes = b"") -> None:
        self._sources = [
            (OBJECTS[metric], index) for index, metric in enumerate(metrics) if metric in OBJECTS
        ]
        ids = [entry[0] for entry, _ in self._sources]
        if len(set(ids)) != len(ids):
            raise ValueError("two metrics of %s become one BTHome object" % (tuple(metrics),))
        if encrypt_block is not None and len(mac) != 6:
            raise ValueError("mac: %d bytes instead of 6" % len(mac))
        self._counter = counter
        self._encrypt_block = encrypt_block
        self._mac = mac
        self.turn = 0

    def service_data(self, values) -> bytes:
        """Return the service data after the UUID, with the objects whose turn it is."""
        number = self._counter.take()
        if self._encrypt_block is None:
            return bytes((PLAIN, PACKET_ID, number & 0xFF)) + self._objects(values, ROOM_PLAIN - 2)
        # No packet id here: receivers see repetitions by the counter, and room is dear.
        counter = number.to_bytes(4, "little")
        nonce = self._mac + UUID + bytes((ENCRYPTED,)) + counter
        sealed, mic = seal(self._encrypt_block, nonce, self._objects(values, ROOM_ENCRYPTED))
        return bytes((ENCRYPTED,)) + sealed + counter + mic

    def _objects(self, values, room: int) -> bytes:
        """Return the objects from the turn on that fit, ascending by id as the format demands."""
        chosen = []
        for step in range(len(self._sources)):
            at = (self.turn + step) % len(self._sources)
            entry, index = self._sources[at]
            encoded = _encoded(entry, values[index])
            if len(encoded) > room:
                self.turn = at
                break
            room -= len(encoded)
            if encoded:
                chosen.append(encoded)
        chosen.sort()
        return b"".join(chosen)


def advertisement(service_data: bytes) -> bytes:
    """Return the whole advertisement, at most 31 bytes."""
    return _FLAGS + bytes((3 + len(service_data), _SERVICE_DATA)) + UUID + service_data


def _encoded(entry, value) -> bytes:
    """Return an object; nothing for a value that is not there, or does not fit: better none than wrong."""
    object_id, length, is_signed, numerator, denominator = entry
    if value is None:
        return b""
    number = value * numerator // denominator
    end = 1 << (8 * length)
    if not (-(end >> 1) <= number < end >> 1 if is_signed else 0 <= number < end):
        return b""
    # to_bytes of a negative number is not in MicroPython 1.25.
    return bytes((object_id,)) + (number & (end - 1)).to_bytes(length, "little")
