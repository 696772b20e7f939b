"""Tests of what runs on a node, in CPython and in the real MicroPython."""
