"""Nodes: microcontrollers that dial this hub over TCP and bring numbered readings."""
