"""Boards on pseudo-terminals: real MicroPython, its file system on LittleFS, its REPL behind a cable."""
