"""Tests that run in the real MicroPython, and what starts them there."""
