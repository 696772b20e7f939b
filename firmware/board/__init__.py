"""The hardware behind a node: one module per board, all with the same Board."""
