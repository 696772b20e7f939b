"""The whole cloud side on one machine, without an account."""
