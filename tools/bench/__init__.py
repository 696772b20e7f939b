"""Benchmarks: each a ratio against a reference in the same run."""
