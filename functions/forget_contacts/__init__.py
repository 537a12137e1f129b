"""Ends what is kept about contacts: all but the address 30 days after an opt-out, everything after 24 months of silence.

Runs each day.
"""
