"""The node: what runs on a microcontroller, in MicroPython 1.25 or newer."""
