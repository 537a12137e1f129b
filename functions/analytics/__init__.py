"""Figures about mails over time, of the account, of a campaign and of a contact. For callers with read_analytics.

Reads the roll-ups that roll_up_analytics keeps, and what is not yet in them.
"""
