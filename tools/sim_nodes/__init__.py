"""Simulated nodes: the real firmware in the real MicroPython, a process a node, with power, air and sensors."""
