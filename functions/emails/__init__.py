"""Emails: queue a message to one or many recipients, list what was sent, show one with its history.

API keys and sessions: sending needs `send_email`, reading that or `read_analytics`. Owns `emails`, `email_tags`,
`content_objects` and the count of emails in `usage_counters`.
"""
