"""Webhooks: where a tenant wants its events posted.

API keys and sessions with `manage_webhooks`. Owns `webhooks`; the signing secret lives in Vault.
"""
