"""The simulated board, in MicroPython: flash on a file, stand-ins for machine and network."""
