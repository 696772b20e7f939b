"""Tests of flashing: real mpremote, real MicroPython, pseudo-terminals."""
