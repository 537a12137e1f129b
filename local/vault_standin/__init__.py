"""A small stand-in for Vault, for machines without one: the part of its HTTP API that the platform uses."""
