"""Finds the other hubs of the site, tells the nodes of them, and announces this hub and its nodes."""
