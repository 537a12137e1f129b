"""A whole stack, driven over HTTP, and broken on purpose."""
