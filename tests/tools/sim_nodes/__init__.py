"""Tests of the simulated nodes: the whole firmware in the real MicroPython, against the real link."""
