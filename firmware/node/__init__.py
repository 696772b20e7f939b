"""What a node decides. No hardware: that is handed in."""
