"""What travels and what it means: metrics, row kinds, enums and limits.

The single source of truth for Python, SQL and TypeScript. Runs unchanged on CPython and MicroPython,
so: plain classes, tuples instead of dict order, no typing, dataclasses or enum.
"""
