"""Tests of the Modbus engine."""
