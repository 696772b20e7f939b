"""What runs in MicroPython, around what is tested."""
