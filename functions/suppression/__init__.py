"""Suppression list: addresses that must not be written to; ask, add one or many, lift with documented consent.

API keys and sessions with `manage_contacts`; lifting takes a session of an owner or admin. Owns `suppression_list`.
"""
