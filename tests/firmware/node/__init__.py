"""Tests of what a node decides."""
