"""The local cloud, over HTTP."""
