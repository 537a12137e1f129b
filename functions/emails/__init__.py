"""Emails: queue a message to one or many recipients, take files in that go with it, list what was sent, show one.

API keys and sessions: sending needs `send_email`, reading that or `read_analytics`. Owns `emails`, `email_tags`,
`content_objects`, `email_attachments`, `email_uploads` and the count of emails in `usage_counters`.
"""
