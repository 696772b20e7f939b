"""Tests of what makes a node's software."""
