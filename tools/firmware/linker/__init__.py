"""Joins a node's modules, without what nobody uses: a board pays for every name with its memory."""
