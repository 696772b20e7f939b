"""Simulated nodes: the real firmware in the real MicroPython, with power, air and sensors to be had."""
