"""Tells the people behind API keys what they should know: keys that fail a lot, grow old or expire.

Also brings the records of keys in Vault up to date. Every five minutes.
"""
