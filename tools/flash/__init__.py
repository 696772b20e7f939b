"""Puts the firmware on boards over a serial cable."""
