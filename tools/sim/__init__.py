"""Simulators: an RS485 bus of transmitters, Modbus TCP slaves, and faults between a hub and its cloud."""
