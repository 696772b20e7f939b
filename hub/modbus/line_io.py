"""Which wire a bus is on."""

from hub.modbus.line import Line
from hub.modbus.serial_io import SerialLine
from hub.modbus.settings import BusSettings
from hub.modbus.tcp_io import TcpLine


def line_for(settings: BusSettings) -> Line:
    """Return the line of a bus, not yet open."""
    return SerialLine(settings) if settings.transport == "serial" else TcpLine(settings)
