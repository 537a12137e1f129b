"""Stands in for Vault where no Vault server is built: the part of its HTTP API that the platform uses.

Written after https://developer.hashicorp.com/vault/api-docs and held against the real server by tests that send both the
same requests. It is for one machine: its state is a file that only its owner can read, not an encrypted store.
"""
