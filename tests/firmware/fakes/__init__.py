"""Simulated hardware with state: buses, parts on them, and a time that passes only by waiting."""
