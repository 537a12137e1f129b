"""Domains of an account: what it sends from, once DNS shows that they are its own.

Keys and sessions with manage_domains. Owns `domains`; the private halves of their DKIM keys are in Vault alone.
"""
