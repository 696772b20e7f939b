"""Makes mDNS packets as responders do, and as they do not. Plain functions, for both interpreters."""

SERVICE = "_iot-monitor._tcp.local"
PTR, TXT, SRV, A = 12, 16, 33, 1


def name(text):
    return b"".join([bytes([len(label)]) + label.encode() for label in text.split(".")]) + b"\0"


def record(owner, kind, data, length=None):
    size = len(data) if length is None else length
    return owner + kind.to_bytes(2, "big") + b"\x80\x01\x00\x00\x00\x78" + size.to_bytes(2, "big") + data


def texts(*pairs):
    return b"".join([bytes([len(pair)]) + pair.encode() for pair in pairs])


def srv(host, port=80):
    return bytes(4) + port.to_bytes(2, "big") + name(host)


def packet(*records, number=7, flags=0x8400, questions=0, count=None):
    head = [number, flags, questions, len(records) if count is None else count, 0, 0]
    return b"".join([each.to_bytes(2, "big") for each in head]) + b"".join(records)


def hub(label="hub-1", hosts=((10, 0, 0, 1),), port="8266"):
    """The records of a hub."""
    instance, host = label + "." + SERVICE, label + "-host.local"
    return [
        record(name(SERVICE), PTR, name(instance)),
        record(name(instance), SRV, srv(host)),
        record(name(instance), TXT, texts("device_id=" + label, "role=hub", "node_port=" + port)),
    ] + [record(name(host), A, bytes(each)) for each in hosts]
