"""Servers that the one-machine stack and the tests start: each binds loopback only and dies with its parent."""
